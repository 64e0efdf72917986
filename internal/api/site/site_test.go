package site

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func client() fstest.MapFS {
	return fstest.MapFS{
		"index.html":            {Data: []byte("<!doctype html>")},
		"docs/index.html":       {Data: []byte("docs")},
		"assets/app-1.js":       {Data: []byte(strings.Repeat("console.log('hello');", 200))},
		"assets/app-1.js.br":    {Data: []byte("as brotli")},
		"assets/style-1.css":    {Data: bytes.Repeat([]byte("a{color:red}"), 200)},
		"assets/font-1.woff2":   {Data: bytes.Repeat([]byte{1, 2, 3}, 1000)},
		"assets/small-1.js":     {Data: []byte("1")},
		"emoji/data.json":       {Data: []byte("[]")},
		"emoji/picture.unknown": {Data: []byte("?")},
	}
}

func setup(t *testing.T) *Site {
	t.Helper()
	s, err := New(client())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func get(t *testing.T, file *File, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/", http.NoBody)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	file.ServeHTTP(w, r)
	return w
}

// Promise: files come in the smallest form that the browser understands, and not again where it has them.
func TestForms(t *testing.T) {
	t.Parallel()
	file := setup(t).Find("/assets/app-1.js")
	for accept, want := range map[string]string{
		"": "", "gzip, deflate, br, zstd": "br", "gzip": "gzip", "br;q=0, gzip;q=0.5": "gzip", "br;q=0.0": "", "identity": "", "BR": "br", "xbr": "",
	} {
		got := get(t, file, "Accept-Encoding", accept)
		if got.Header().Get("Content-Encoding") != want || got.Header().Get("Vary") != "Accept-Encoding" || got.Header().Get("Cache-Control") != cacheForEver {
			t.Errorf("Accept-Encoding %q: %v, want %q", accept, got.Header(), want)
		}
		again := get(t, file, "Accept-Encoding", accept, "If-None-Match", `"x", W/`+got.Header().Get("ETag"))
		if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("Accept-Encoding %q, again: %d with %d bytes, want 304", accept, again.Code, again.Body.Len())
		}
	}
}

// Promise: what the build has not compressed is compressed where that saves something.
func TestCompression(t *testing.T) {
	t.Parallel()
	s := setup(t)
	zipped := get(t, s.Find("/assets/style-1.css"), "Accept-Encoding", "br, gzip")
	reader, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(reader)
	if err != nil || !bytes.Equal(plain, client()["assets/style-1.css"].Data) {
		t.Errorf("unzipped %d bytes, %v", len(plain), err)
	}
	for _, path := range []string{"/assets/font-1.woff2", "/assets/small-1.js", "/emoji/data.json"} {
		if got := get(t, s.Find(path), "Accept-Encoding", "gzip"); got.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s is compressed, which saves nothing", path)
		}
	}
	if got := get(t, s.Find("/emoji/picture.unknown")); got.Header().Get("Content-Type") != "application/octet-stream" {
		t.Errorf("a file of no known kind is %q", got.Header().Get("Content-Type"))
	}
}

// Promise: only the client's own addresses lead to its page.
func TestFind(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for address, found := range map[string]bool{
		"/": true, "/rooms/x": true, "/browse": true, "/invite/x": true, "/settings/profile": true, "/signin": true, "/signup": true, "/docs/": true,
		"/docs": false, "/assets": false, "/assets/": false, "/assets/app-1.js.br": false, "/api": false, "/ws": false, "/x": false, "": true, "/docs/x": false, "/index.html/": false, "/..": false,
	} {
		if got := s.Find(address); (got != nil) != found {
			t.Errorf("Find(%q) found something: %t, want %t", address, got != nil, found)
		}
	}
	none, err := New(nil)
	if err != nil || none.Find("/") != nil {
		t.Errorf("a site of no files = %v, %v", none, err)
	}
}

// bad is files that cannot be read.
type bad struct{ fstest.MapFS }

func (bad) ReadFile(string) ([]byte, error) { return nil, errors.New("unreadable") }

// Promise: a file that cannot be read is a fault of the server, and never an empty file that a browser keeps.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	var files fs.FS = bad{client()}
	s, err := New(files)
	if err != nil {
		t.Fatal(err)
	}
	got := get(t, s.Find("/assets/app-1.js"))
	if got.Code != http.StatusInternalServerError || got.Header().Get("Cache-Control") != "" || got.Body.Len() != 0 {
		t.Errorf("%d %v %q", got.Code, got.Header(), got.Body)
	}
}
