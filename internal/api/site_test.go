package api

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const (
	cacheForEver = "public, max-age=31536000, immutable"
	cacheAsk     = "no-cache"
)

func withClient(_ *account.Config, options *Options) {
	script := []byte(strings.Repeat("console.log('hello');\n", 200))
	options.Web = fstest.MapFS{
		"index.html":                {Data: []byte("<!doctype html><title>app</title>")},
		"sw.js":                     {Data: []byte("self")},
		"manifest.webmanifest":      {Data: []byte("{}")},
		"assets/index-abc123.js":    {Data: script},
		"assets/index-abc123.js.br": {Data: []byte("as brotli")},
		"assets/style-abc123.css":   {Data: bytes.Repeat([]byte("a{color:red}"), 200)},
		"assets/inter-latin.woff2":  {Data: bytes.Repeat([]byte{1, 2, 3}, 1000)},
		"docs/index.html":           {Data: []byte("<!doctype html><title>docs</title>")},
		"docs/swagger-ui-bundle.js": {Data: []byte("ui")},
		"icons/icon.svg":            {Data: []byte("<svg/>")},
	}
}

// Promise: the web client is served whole; its hashed files may be kept for ever and its page is asked for each time; its
// own addresses lead to its page, and nothing else does.
func TestSite(t *testing.T) {
	t.Parallel()
	w := setup(t, withClient)
	c := w.nobody()
	for path, want := range map[string]struct {
		status      int
		contentType string
		cache       string
		body        string
	}{
		"//":                          {200, "text/html; charset=utf-8", cacheAsk, "app"},
		"//index.html":                {200, "text/html; charset=utf-8", cacheAsk, "app"},
		"//rooms/0190-whatever":       {200, "text/html; charset=utf-8", cacheAsk, "app"},
		"//invite/abcdef":             {200, "text/html; charset=utf-8", cacheAsk, "app"},
		"//settings":                  {200, "text/html; charset=utf-8", cacheAsk, "app"},
		"//sw.js":                     {200, "text/javascript; charset=utf-8", cacheAsk, "self"},
		"//manifest.webmanifest":      {200, "application/manifest+json", cacheAsk, "{}"},
		"//assets/index-abc123.js":    {200, "text/javascript; charset=utf-8", cacheForEver, "hello"},
		"//assets/inter-latin.woff2":  {200, "font/woff2", cacheForEver, "\x01\x02"},
		"//icons/icon.svg":            {200, "image/svg+xml; charset=utf-8", cacheAsk, "svg"},
		"//docs/":                     {200, "text/html; charset=utf-8", cacheAsk, "docs"},
		"//docs/swagger-ui-bundle.js": {200, "text/javascript; charset=utf-8", cacheAsk, "ui"},
		"//docs":                      {308, "", "", ""},
		"//assets/gone.js":            {404, problemType, "", ""},
		"//assets/index-abc123.js.br": {404, problemType, "", ""},
		"//assets":                    {404, problemType, "", ""},
		"//assets/":                   {404, problemType, "", ""},
		"//nothing":                   {404, problemType, "", ""},
		"//../index.html":             {404, problemType, "", ""},
		"//%2e%2e/index.html":         {404, problemType, "", ""},
		"//.env":                      {404, problemType, "", ""},
		"//api/v1/nothing":            {404, problemType, "", ""},
		"//ws":                        {404, problemType, "", ""},
	} {
		got := c.do("GET", path, nil)
		if got.status != want.status || !strings.Contains(string(got.body), want.body) {
			t.Errorf("%s = %s, want %d with %q", path, got, want.status, want.body)
			continue
		}
		if want.status == 200 && (got.header.Get("Content-Type") != want.contentType || got.header.Get("Cache-Control") != want.cache || got.header.Get("ETag") == "") {
			t.Errorf("%s: %v, want %s kept %s with an ETag", path, got.header, want.contentType, want.cache)
		}
		if want.contentType == problemType {
			refused(t, got, chat.NotFound)
		}
	}
	if got := c.do("GET", "//docs", nil); got.header.Get("Location") != "/docs/" {
		t.Errorf("/docs leads to %q", got.header.Get("Location"))
	}
	if got := c.do("HEAD", "//", nil); got.status != 200 || len(got.body) != 0 || got.header.Get("Content-Length") == "0" {
		t.Errorf("HEAD / = %s with %v", got, got.header)
	}
	if got := c.do("GET", "//", nil); got.header.Get("Content-Security-Policy") != pagePolicy {
		t.Errorf("Content-Security-Policy = %q", got.header.Get("Content-Security-Policy"))
	}
}

// Promise: the description names every route and what it answers, and needs nothing from elsewhere.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	w := setup(t)
	got := w.nobody().must(200, "GET", "//openapi.json", nil)
	if !strings.HasPrefix(got.text("openapi"), "3.1") || got.text("servers", "0", "url") != basePath {
		t.Errorf("openapi %q at %q", got.text("openapi"), got.text("servers", "0", "url"))
	}
	for _, route := range routes() {
		op := got.at("paths", route.operation.Path, strings.ToLower(route.operation.Method))
		described, ok := op.(map[string]any)
		if !ok {
			t.Errorf("%s %s is not described", route.operation.Method, route.operation.Path)
			continue
		}
		if (described["security"] != nil) != route.signedIn {
			t.Errorf("%s %s: security %v", route.operation.Method, route.operation.Path, described["security"])
		}
		parameters, _ := json.Marshal(described["parameters"])
		for part := range strings.SplitSeq(route.operation.Path, "/") {
			if name, ok := strings.CutPrefix(part, "{"); ok && !strings.Contains(string(parameters), `"`+strings.TrimSuffix(name, "}")+`"`) {
				t.Errorf("%s %s does not describe %s", route.operation.Method, route.operation.Path, part)
			}
		}
		refusal, _ := json.Marshal(described["responses"])
		if !strings.Contains(string(refusal), "application/problem+json") {
			t.Errorf("%s %s does not describe refusals", route.operation.Method, route.operation.Path)
		}
	}
	text := string(got.body)
	if strings.Contains(text, "ErrorModel") || strings.Contains(text, "$schema") {
		t.Error("huma's own errors are described")
	}
	for _, name := range []string{"Message", "MemberRoom", "Room", "Me", "User", "Event", "Problem"} {
		if got.at("components", "schemas", name) == nil {
			t.Errorf("%s is not described", name)
		}
	}
	if nulls := got.at("components", "schemas", "Message", "properties", "edited_at", "type"); len(nulls.([]any)) != 2 {
		t.Errorf("edited_at is %v, want string or null", nulls)
	}
}
