package api

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

func trustLoopback(_ *account.Config, options *Options) {
	options.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
}

// Promise (FIGURES §4 test 1): only pages of allowed origins may call, and preflights say so.
func TestOrigins(t *testing.T) {
	t.Parallel()
	const configured = "https://chat.example"
	for name, tc := range map[string]struct {
		origins []string
		host    string
		origin  []string
		site    string
		allowed bool
	}{
		"no origin":                  {origins: []string{configured}, allowed: true},
		"the configured one":         {origins: []string{configured}, origin: []string{"https://chat.example"}, allowed: true},
		"a second one":               {origins: []string{configured, "https://app.example:8443/"}, origin: []string{"https://app.example:8443"}, allowed: true},
		"an evil one":                {origins: []string{configured}, origin: []string{"https://evil.example"}},
		"null":                       {origins: []string{configured}, origin: []string{"null"}},
		"empty":                      {origins: []string{configured}, origin: []string{""}},
		"ours as its subdomain":      {origins: []string{configured}, origin: []string{"https://chat.example.evil.com"}},
		"ours as its end":            {origins: []string{configured}, origin: []string{"https://evilchat.example"}},
		"a subdomain of ours":        {origins: []string{configured}, origin: []string{"https://x.chat.example"}},
		"another port":               {origins: []string{configured}, origin: []string{"https://chat.example:8443"}},
		"without TLS":                {origins: []string{configured}, origin: []string{"http://chat.example"}},
		"ours in its path":           {origins: []string{configured}, origin: []string{"https://evil.example/https://chat.example"}},
		"with a user":                {origins: []string{configured}, origin: []string{"https://chat.example@evil.example"}},
		"capitals":                   {origins: []string{configured}, origin: []string{"https://CHAT.example"}},
		"two of them":                {origins: []string{configured}, origin: []string{"https://chat.example", "https://evil.example"}},
		"two in one":                 {origins: []string{configured}, origin: []string{"https://chat.example https://evil.example"}},
		"host is not asked":          {origins: []string{configured}, host: "evil.example", origin: []string{"https://evil.example"}},
		"same host by default":       {host: "localhost:8080", origin: []string{"http://localhost:8080"}, allowed: true},
		"same host behind TLS":       {host: "chat.example", origin: []string{"https://chat.example"}, allowed: true},
		"default port is no port":    {host: "chat.example:443", origin: []string{"https://chat.example"}, allowed: true},
		"another host by default":    {host: "localhost:8080", origin: []string{"http://evil.example"}},
		"another port by default":    {host: "localhost:8080", origin: []string{"http://localhost:9090"}},
		"null by default":            {host: "localhost:8080", origin: []string{"null"}},
		"a file by default":          {host: "localhost:8080", origin: []string{"file://"}},
		"an extension by default":    {host: "abc", origin: []string{"chrome-extension://abc"}},
		"cross-site without origin":  {origins: []string{configured}, site: "cross-site"},
		"same-site without origin":   {origins: []string{configured}, site: "same-site"},
		"same-origin without origin": {origins: []string{configured}, site: "same-origin", allowed: true},
		"typed into the browser":     {origins: []string{configured}, site: "none", allowed: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t, func(_ *account.Config, options *Options) { options.PublicOrigins = tc.origins })
			ask := func(method, path, body string, preflight bool) answer {
				r := httptest.NewRequestWithContext(t.Context(), method, basePath+path, strings.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				if tc.host != "" {
					r.Host = tc.host
				}
				if tc.origin != nil {
					r.Header["Origin"] = tc.origin
				}
				if tc.site != "" {
					r.Header.Set("Sec-Fetch-Site", tc.site)
				}
				if preflight {
					r.Header.Set("Access-Control-Request-Method", "POST")
				}
				recorder := httptest.NewRecorder()
				w.server.ServeHTTP(recorder, r)
				return answer{recorder.Code, recorder.Result().Header, recorder.Body.Bytes()}
			}
			post := ask("POST", "/auth/logout", "", false)
			if !tc.allowed {
				refused(t, post, chat.Forbidden)
			} else if post.status != http.StatusNoContent {
				t.Errorf("POST = %s, want 204", post)
			}
			get := ask("GET", "/config", "", false)
			preflight := ask("OPTIONS", "/auth/login", "", true)
			for _, got := range []answer{post, get, preflight} {
				want := ""
				if tc.allowed && tc.origin != nil {
					want = tc.origin[0]
				}
				if allow := got.header.Get("Access-Control-Allow-Origin"); allow != want {
					t.Errorf("Access-Control-Allow-Origin = %q, want %q", allow, want)
				}
				if !strings.Contains(got.header.Get("Vary"), "Origin") {
					t.Errorf("Vary = %q, want Origin in it", got.header.Get("Vary"))
				}
			}
			if tc.origin != nil && tc.allowed && (preflight.status != 204 || !strings.Contains(preflight.header.Get("Access-Control-Allow-Headers"), "Authorization")) {
				t.Errorf("preflight = %s with %v", preflight, preflight.header)
			}
			if tc.origin != nil && !tc.allowed {
				refused(t, preflight, chat.Forbidden)
				refused(t, get, chat.Forbidden)
			}
			r := httptest.NewRequestWithContext(t.Context(), "GET", "/ws", http.NoBody)
			if tc.host != "" {
				r.Host = tc.host
			}
			if tc.origin != nil {
				r.Header["Origin"] = tc.origin
			}
			if got := w.server.OriginAllowed(r); got != (tc.allowed || tc.origin == nil) {
				t.Errorf("OriginAllowed = %t", got)
			}
		})
	}
}

// Promise (CONTRACT): every answer tells browsers what this server never does; data can be nothing but data.
func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	w := anywhere(t)
	for _, path := range []string{"/config", "/nowhere", "//openapi.json", "//nowhere"} {
		got := w.nobody().do("GET", path, nil)
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY",
			"Cross-Origin-Opener-Policy": "same-origin",
		} {
			if got.header.Get(name) != want {
				t.Errorf("%s: %s = %q, want %q", path, name, got.header.Get(name), want)
			}
		}
		policy := got.header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe-eval") {
			t.Errorf("%s: Content-Security-Policy = %q", path, policy)
		}
		if api := !strings.HasPrefix(path, "//"); api != (got.header.Get("Cache-Control") == "no-store") {
			t.Errorf("%s: Cache-Control = %q", path, got.header.Get("Cache-Control"))
		}
		if got.header.Get("X-Request-Id") == "" {
			t.Errorf("%s: no X-Request-Id", path)
		}
	}
}
