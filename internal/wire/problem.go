package wire

import (
	"errors"
	"net/http"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Problem is a refusal as RFC 9457 writes it, with the stable code of the contract.
type Problem struct {
	Type   string            `json:"type"`
	Title  string            `json:"title"`
	Status int               `json:"status"`
	Detail string            `json:"detail"`
	Code   chat.Code         `json:"code"`
	Errors []chat.FieldError `json:"errors,omitempty"`

	RetryAfter time.Duration `json:"-"`
}

// Error gives the sentence.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ProblemOf writes an error as what may leave the process: a refusal in its words, anything else as `internal` without
// a word of what it was.
func ProblemOf(err error) *Problem {
	refusal, ok := errors.AsType[*chat.Error](err)
	if !ok {
		refusal = &chat.Error{Code: chat.Internal, Detail: "something went wrong on the server; it was logged"}
	}
	status := StatusOf(refusal.Code)
	return &Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: refusal.Detail, Code: refusal.Code,
		Errors: refusal.Fields, RetryAfter: refusal.RetryAfter,
	}
}

// StatusOf is the only table from a code to an HTTP status.
func StatusOf(code chat.Code) int {
	switch code {
	case chat.BadRequest:
		return http.StatusBadRequest
	case chat.Unauthenticated:
		return http.StatusUnauthorized
	case chat.Forbidden, chat.NotMember, chat.Muted, chat.Banned:
		return http.StatusForbidden
	case chat.NotFound:
		return http.StatusNotFound
	case chat.Conflict, chat.UsernameTaken:
		return http.StatusConflict
	case chat.TooLarge:
		return http.StatusRequestEntityTooLarge
	case chat.UnsupportedMedia:
		return http.StatusUnsupportedMediaType
	case chat.Invalid:
		return http.StatusUnprocessableEntity
	case chat.RateLimited:
		return http.StatusTooManyRequests
	case chat.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
