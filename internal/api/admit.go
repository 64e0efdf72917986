package api

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/api/strictjson"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const (
	bodyBytesMax  = chat.FrameBytesMax // the longest message, escaped in full, fits
	queryBytesMax = 4 << 10
)

// admit refuses a request that no handler should see.
func (s *Server) admit(c *gin.Context, op *huma.Operation, signedIn bool, ids []string) error {
	if signedIn {
		if err := s.identify(c); err != nil {
			return err
		}
	} else if err := s.within(c, s.Reads, "open:"+requestOf(c.Request.Context()).device.Address); err != nil {
		return err
	}
	for _, name := range ids {
		if _, err := chat.ParseRoomID(c.Param(name)); err != nil {
			return chat.ErrNotFound // what has no id of ours does not exist
		}
	}
	c.Request.Header.Del("Accept") // there is one form of answer, whatever is asked for
	if takes, needs := bodyOf(op); takes {
		return readBody(c, needs)
	}
	return nil
}

// identify finds out whom the request speaks for, and whether they have asked too often.
func (s *Server) identify(c *gin.Context) error {
	ctx := c.Request.Context()
	who, err := s.Accounts.Authenticate(ctx, bearer(c.GetHeader("Authorization")))
	if err != nil {
		return err
	}
	requestOf(ctx).who = who
	rate, what := s.Writes, "write:"
	if isRead(c.Request.Method) {
		rate, what = s.Reads, "read:"
	}
	return s.within(c, rate, what+who.User.ID.String())
}

func (s *Server) within(c *gin.Context, rate account.Rate, key string) error {
	if rate.Burst == 0 {
		return nil
	}
	if wait, ok := s.Limiter.Allow(c.Request.Context(), key, rate.PerSecond, rate.Burst); !ok {
		return &chat.Error{Code: chat.RateLimited, Detail: "you ask more often than this server allows; wait a moment", RetryAfter: wait}
	}
	return nil
}

// bearer is the token of an Authorization header, or nothing.
func bearer(header string) string {
	scheme, token, found := strings.Cut(header, " ")
	if !found || !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// readBody reads the body to its bound and puts it back, once it is known to be one JSON object.
func readBody(c *gin.Context, needed bool) error {
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, bodyBytesMax))
	if err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return chat.Refuse(chat.TooLarge, "a body has at most %d bytes", bodyBytesMax)
		}
		return &chat.Error{Code: chat.BadRequest, Detail: "the body did not arrive whole", Err: err}
	}
	if len(body) == 0 && !needed {
		c.Request.Body = http.NoBody
		return nil
	}
	if len(body) > 0 || c.GetHeader("Content-Type") != "" {
		if !isJSON(c.GetHeader("Content-Type")) {
			return chat.Refuse(chat.UnsupportedMedia, "a body is application/json in UTF-8")
		}
	}
	if err := strictjson.Check(body); err != nil {
		return err
	}
	c.Request.Header.Set("Content-Type", "application/json")
	c.Request.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

func isJSON(contentType string) bool {
	media, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || media != "application/json" {
		return false
	}
	charset, given := parameters["charset"]
	return !given || strings.EqualFold(charset, "utf-8")
}

// checkQuery refuses a query that could be read in two ways, or not at all.
func (s *Server) checkQuery(c *gin.Context) {
	raw := c.Request.URL.RawQuery
	if raw == "" || !isAPI(c.Request.URL.Path) {
		return
	}
	if len(raw) > queryBytesMax {
		s.refuse(c, chat.Refuse(chat.BadRequest, "a query has at most %d bytes", queryBytesMax))
		return
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		s.refuse(c, chat.Refuse(chat.BadRequest, "the query is not well-formed"))
		return
	}
	for name, given := range values {
		if len(given) > 1 {
			s.refuse(c, chat.Refuse(chat.BadRequest, "the query has a parameter more than once"))
			return
		}
		if !isText(name) || !isText(given[0]) {
			s.refuse(c, chat.Refuse(chat.BadRequest, "the query is not text in UTF-8"))
			return
		}
	}
}

func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

func isAPI(path string) bool { return path == "/api" || strings.HasPrefix(path, "/api/") }
