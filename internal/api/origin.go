package api

import (
	"maps"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// OriginAllowed reports whether a page of the request's origin may call. A request without an origin comes from no page.
func (s *Server) OriginAllowed(r *http.Request) bool { return s.origins.Allow(r) }

const preflightSeconds = "600"

// checkOrigin answers preflights, and refuses everything that a page of a foreign site had a browser send: nothing here
// is for such pages, so there is nothing to tell them either.
func (s *Server) checkOrigin(c *gin.Context) {
	if !isAPI(c.Request.URL.Path) && c.Request.URL.Path != openAPIPath {
		return
	}
	header := c.Writer.Header()
	header.Add("Vary", "Origin")
	if !s.OriginAllowed(c.Request) {
		s.refuse(c, chat.Refuse(chat.Forbidden, "pages of this origin may not call this server"))
		return
	}
	origin := c.GetHeader("Origin")
	if origin == "" {
		// Old browsers send no Origin with some requests; all that send Sec-Fetch-Site say where from.
		if site := c.GetHeader("Sec-Fetch-Site"); !isRead(c.Request.Method) && (site == "cross-site" || site == "same-site") {
			s.refuse(c, chat.Refuse(chat.Forbidden, "pages of other sites may not call this server"))
		}
		return
	}
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Access-Control-Allow-Credentials", "true")
	header.Set("Access-Control-Expose-Headers", "Retry-After, X-Request-Id")
	if c.Request.Method == http.MethodOptions && c.GetHeader("Access-Control-Request-Method") != "" {
		header.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
		header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
		header.Set("Access-Control-Max-Age", preflightSeconds)
		c.AbortWithStatus(http.StatusNoContent)
	}
}

// publicOrigin is the address that links to this server are written with.
func (s *Server) publicOrigin(req *request) string {
	if len(s.origins) > 0 {
		return s.origins[0]
	}
	return req.origin
}

const (
	connectPolicy = "connect-src 'self' ws: wss:"
	pagePolicy    = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
		"font-src 'self'; " + connectPolicy + "; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
	dataPolicy        = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
	permissionsPolicy = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()"
	transportPolicy   = "max-age=31536000"
)

// Every answer's headers, whose values are shared by all answers: nobody may change them in place.
var (
	everyAnswer = map[string][]string{
		"X-Content-Type-Options":       {"nosniff"},
		"Referrer-Policy":              {"same-origin"}, // an invite's address is a secret, and no other site's business
		"X-Frame-Options":              {"DENY"},
		"Cross-Origin-Opener-Policy":   {"same-origin"},
		"Cross-Origin-Resource-Policy": {"same-origin"},
		"Permissions-Policy":           {permissionsPolicy},
	}
	secureAnswer = map[string][]string{"Strict-Transport-Security": {transportPolicy}}
	dataAnswer   = map[string][]string{"Content-Security-Policy": {dataPolicy}, "Cache-Control": {"no-store"}}
)

// pageAnswer lets pages call the project that signs people in, where one does, and nobody else.
func pageAnswer(supabase *Supabase) map[string][]string {
	policy := pagePolicy
	if supabase != nil {
		policy = strings.Replace(policy, connectPolicy, connectPolicy+" "+supabase.URL, 1)
	}
	return map[string][]string{"Content-Security-Policy": {policy}}
}

// harden sets the headers that tell a browser what this server never does.
func (s *Server) harden(c *gin.Context) {
	header := c.Writer.Header()
	maps.Copy(header, everyAnswer)
	if requestOf(c.Request.Context()).secure {
		maps.Copy(header, secureAnswer)
	}
	if isAPI(c.Request.URL.Path) {
		maps.Copy(header, dataAnswer)
		return
	}
	maps.Copy(header, s.page)
}
