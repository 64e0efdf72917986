package api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// origins is the list of sites whose pages may call. An empty one stands for the host that was asked.
type origins []string

func newOrigins(configured []string) (origins, error) {
	list := make(origins, 0, len(configured))
	for _, text := range configured {
		parsed, err := url.Parse(text)
		if err != nil || (parsed.Scheme != "http" && parsed.Scheme != "https") || parsed.Host == "" ||
			strings.Trim(parsed.Path, "/") != "" || parsed.RawQuery != "" || parsed.Fragment != "" || parsed.User != nil {
			return nil, fmt.Errorf("api: %q is not an origin like https://chat.example.com", text)
		}
		list = append(list, canonical(parsed))
	}
	return list, nil
}

// canonical writes an origin as browsers do: lower case, and without the port that its scheme has anyway.
func canonical(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if port := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]; port != "" {
		host = strings.TrimSuffix(host, port)
	}
	return u.Scheme + "://" + host
}

func (o origins) allow(origin, host string) bool {
	if len(o) > 0 {
		return slices.Contains(o, origin)
	}
	parsed, err := url.Parse(origin)
	if err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https") {
		return false
	}
	asked := url.URL{Scheme: parsed.Scheme, Host: host} // a proxy may have taken TLS away: the scheme cannot be compared
	return origin == canonical(parsed) && canonical(parsed) == canonical(&asked)
}

// OriginAllowed reports whether a page of the request's origin may call. A request without an origin comes from no page.
func (s *Server) OriginAllowed(r *http.Request) bool {
	given, present := r.Header["Origin"]
	if !present {
		return true
	}
	return len(given) == 1 && s.origins.allow(given[0], r.Host)
}

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
	pagePolicy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
		"font-src 'self'; connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
	dataPolicy        = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
	permissionsPolicy = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()"
	transportPolicy   = "max-age=31536000"
)

// harden sets the headers that tell a browser what this server never does.
func (s *Server) harden(c *gin.Context) {
	header := c.Writer.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "same-origin") // an invite's address is a secret, and no other site's business
	header.Set("X-Frame-Options", "DENY")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Permissions-Policy", permissionsPolicy)
	if requestOf(c.Request.Context()).secure {
		header.Set("Strict-Transport-Security", transportPolicy)
	}
	if isAPI(c.Request.URL.Path) {
		header.Set("Content-Security-Policy", dataPolicy)
		header.Set("Cache-Control", "no-store")
		return
	}
	header.Set("Content-Security-Policy", pagePolicy)
}
