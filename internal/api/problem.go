package api

import (
	"context"
	"errors"
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/blabber-hive/blabber-hive/internal/api/strictjson"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

const problemType = "application/problem+json"

// problem is a refusal as huma wants to be given it.
type problem struct {
	wire.Problem
	headers http.Header
}

// ContentType is that of a refusal.
func (p *problem) ContentType(string) string { return problemType }

// GetHeaders are the headers that go with the refusal.
func (p *problem) GetHeaders() http.Header { return p.headers }

// withHeaders is an error that carries headers to the answer.
type withHeaders struct {
	error
	headers http.Header
}

func (e withHeaders) Unwrap() error { return e.error }

// problemOf writes an error as an answer, and logs it if it is not a refusal. This is the only place that does either.
func (s *Server) problemOf(ctx context.Context, err error) *problem {
	if cut := ctx.Err(); cut != nil && errors.Is(err, cut) {
		err = chat.Away("the server", err) // the client has gone, or the time was up; not worth a line of its own
	}
	p := &problem{Problem: *wire.ProblemOf(err), headers: http.Header{}}
	if carrier, ok := errors.AsType[withHeaders](err); ok {
		p.headers = carrier.headers.Clone()
	}
	switch p.Code {
	case chat.Unauthenticated:
		p.headers.Set("WWW-Authenticate", "Bearer")
	case chat.RateLimited, chat.Unavailable:
		seconds := max(1, int(math.Ceil(p.RetryAfter.Seconds())))
		p.headers.Set("Retry-After", strconv.Itoa(seconds))
	case chat.Internal:
		s.Log.ErrorContext(ctx, "a request failed", append(requestOf(ctx).attributes(), "error", err)...)
	}
	if p.Code == chat.Unavailable && ctx.Err() == nil {
		s.Log.WarnContext(ctx, "a request met something unavailable", append(requestOf(ctx).attributes(), "error", err)...)
	}
	return p
}

// refuse answers with an error before, or instead of, any handler.
func (s *Server) refuse(c *gin.Context, err error) {
	s.write(c, s.problemOf(c.Request.Context(), err))
}

func (s *Server) write(c *gin.Context, p *problem) {
	header := c.Writer.Header()
	maps.Copy(header, p.headers)
	header.Set("Content-Type", problemType)
	c.Status(p.Status)
	if err := strictjson.Write(c.Writer, p); err != nil {
		s.Log.ErrorContext(c.Request.Context(), "a refusal could not be written", "error", err)
	}
	c.Abort()
}

// wrongMethod answers for a path that exists with other methods, which gin has named in Allow. The contract has no code
// for this, so it is a bad request with the status that HTTP has for it.
func (s *Server) wrongMethod(c *gin.Context) {
	p := s.problemOf(c.Request.Context(), chat.Refuse(chat.BadRequest, "this address does not know the method %s", methodLabel(c.Request.Method)))
	p.Status, p.Title = http.StatusMethodNotAllowed, http.StatusText(http.StatusMethodNotAllowed)
	s.write(c, p)
}

// translateErrors turns what huma itself refuses, which is fields that do not fit, into the contract's words. It never
// repeats what was sent: that may be a password.
func translateErrors(_ huma.Context, status string, value any) (any, error) {
	model, ok := value.(*huma.ErrorModel)
	if !ok {
		return value, nil
	}
	switch status {
	case "422":
		fields := make([]chat.FieldError, 0, len(model.Errors))
		for _, detail := range model.Errors {
			fields = append(fields, fieldError(detail))
		}
		return wire.ProblemOf(&chat.Error{Code: chat.Invalid, Detail: sentence(fields), Fields: fields}), nil
	case "400":
		return wire.ProblemOf(chat.Refuse(chat.BadRequest, "the body has a value that is out of all bounds")), nil
	default:
		return wire.ProblemOf(errors.New(model.Detail)), nil
	}
}

// fieldError names a field as the client knows it: huma says body.name, and says of a missing one only in its sentence
// what it is.
func fieldError(detail *huma.ErrorDetail) chat.FieldError {
	const missingHead, missingTail = "expected required property ", " to be present"
	_, field, nested := strings.Cut(detail.Location, ".")
	if !nested {
		field = detail.Location
	}
	if name, ok := strings.CutPrefix(detail.Message, missingHead); ok {
		name = strings.TrimSuffix(name, missingTail)
		if nested {
			name = field + "." + name
		}
		return chat.FieldError{Field: name, Message: "this is required"}
	}
	if !nested && !strings.HasPrefix(detail.Message, "expected ") {
		return chat.FieldError{Field: field, Message: "a value does not fit its field"} // Go's words, for nobody outside
	}
	return chat.FieldError{Field: field, Message: detail.Message}
}

func sentence(fields []chat.FieldError) string {
	if len(fields) == 0 {
		return "the request does not fit"
	}
	return fields[0].Field + ": " + fields[0].Message
}
