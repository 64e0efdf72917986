package chat

import (
	"errors"
	"fmt"
	"time"
)

// Code is the one stable word by which a client knows a refusal. The edges own the only tables from Code to an HTTP
// status or a WebSocket close code.
type Code string

// The codes of the wire contract, section 4.
const (
	BadRequest       Code = "bad_request"
	Unauthenticated  Code = "unauthenticated"
	Forbidden        Code = "forbidden"
	NotFound         Code = "not_found"
	NotMember        Code = "not_member"
	Muted            Code = "muted"
	Banned           Code = "banned"
	Conflict         Code = "conflict"
	UsernameTaken    Code = "username_taken"
	TooLarge         Code = "too_large"
	UnsupportedMedia Code = "unsupported_media"
	Invalid          Code = "invalid"
	RateLimited      Code = "rate_limited"
	Internal         Code = "internal"
	Unavailable      Code = "unavailable"
)

// ErrFenced is what a store answers when another owner of the partition, or another process, has moved the stored
// offset: reload and go on from there.
var ErrFenced = errors.New("another owner has moved the stored offset")

// ErrLogClosed is what a log answers to polling once it is closed and all that was appended has been polled.
var ErrLogClosed = errors.New("the log is closed and empty")

// FieldError says what is wrong with one field of a request.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Error is a refusal: its code for programs, a sentence for people. Err, where set, is the cause, which is logged and
// never shown.
type Error struct {
	Code       Code
	Detail     string
	Fields     []FieldError
	RetryAfter time.Duration
	Err        error
}

// Error gives the code, the sentence and the cause for logs.
func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Detail, e.Err)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Detail)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Refuse makes a refusal with a sentence for people.
func Refuse(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// InvalidField refuses one field with `invalid`.
func InvalidField(field, format string, args ...any) *Error {
	message := fmt.Sprintf(format, args...)
	return &Error{Code: Invalid, Detail: field + ": " + message, Fields: []FieldError{{Field: field, Message: message}}}
}

// Away says that something the call needs is down, that nothing was lost, and when to try again.
func Away(what string, cause error) *Error {
	return &Error{Code: Unavailable, Detail: what + " is unavailable; nothing was lost, try again", RetryAfter: time.Second, Err: cause}
}

// ErrNotFound refuses without saying whether the thing exists: strangers and typing errors get the same words.
var ErrNotFound = &Error{Code: NotFound, Detail: "there is nothing here, or you may not see it"}

// DetailOf is the sentence that an error has for people; empty where it is not a refusal.
func DetailOf(err error) string {
	if refusal, ok := errors.AsType[*Error](err); ok {
		return refusal.Detail
	}
	return ""
}

// CodeOf is the code of the first refusal in err's chain, and Internal where there is none.
func CodeOf(err error) Code {
	if refusal, ok := errors.AsType[*Error](err); ok {
		return refusal.Code
	}
	return Internal
}

// FailureOf is the code of an error as a word, and empty where there is none.
func FailureOf(err error) string {
	if err == nil {
		return ""
	}
	return string(CodeOf(err))
}

// Is makes errors.Is compare refusals by code.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code
}
