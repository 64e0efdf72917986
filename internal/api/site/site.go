package site

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

const (
	siteBytesMax     = 256 << 20 // of all files together; a client of that size is a mistake
	compressBytesMin = 1 << 10   // below it compression saves nothing

	cacheForEver = "public, max-age=31536000, immutable" // for names that hold the hash of what is in them
	cacheAsk     = "no-cache"                            // kept, but asked for each time
)

// Site is the built web client. Its methods may be called concurrently.
type Site struct{ files map[string]*File }

// File is one file of the client.
type File struct {
	contentType string
	cache       string
	forms       func() (forms, error) // reads the file when it is asked for the first time
}

// forms is what a file is sent as: plain, or compressed where it gains by that.
type forms struct {
	etag   string
	plain  []byte
	gzip   []byte // nil where there is none
	brotli []byte
}

// New lists all files. Forms that the build has compressed itself (name.br, name.gz) are used as they are. No files make a
// site on which nothing is found.
func New(files fs.FS) (*Site, error) {
	s := &Site{files: map[string]*File{}}
	if files == nil {
		return s, nil
	}
	total := int64(0)
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || isCompressed(name) {
			return err
		}
		about, err := entry.Info()
		if err != nil {
			return err
		}
		if total += about.Size(); total > siteBytesMax {
			return fmt.Errorf("the files have more than %d bytes", siteBytesMax)
		}
		s.files["/"+name] = newFile(files, name)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the web client: %w", err)
	}
	return s, nil
}

func isCompressed(name string) bool {
	return strings.HasSuffix(name, ".br") || strings.HasSuffix(name, ".gz")
}

func newFile(files fs.FS, name string) *File {
	file := &File{contentType: contentTypeOf(name), cache: cacheAsk}
	if strings.HasPrefix(name, "assets/") {
		file.cache = cacheForEver
	}
	file.forms = sync.OnceValues(func() (forms, error) { return readForms(files, name, isCompressible(file.contentType)) })
	return file
}

func readForms(files fs.FS, name string, compressible bool) (read forms, err error) {
	if read.plain, err = fs.ReadFile(files, name); err != nil {
		return forms{}, err
	}
	sum := sha256.Sum256(read.plain)
	read.etag = `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	for _, form := range []struct {
		suffix string
		bytes  *[]byte
	}{{".br", &read.brotli}, {".gz", &read.gzip}} {
		*form.bytes, err = fs.ReadFile(files, name+form.suffix)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return forms{}, err
		}
	}
	if read.gzip == nil && len(read.plain) >= compressBytesMin && compressible {
		read.gzip = compress(read.plain)
	}
	return read, nil
}

func compress(plain []byte) []byte {
	var out bytes.Buffer
	writer := gzip.NewWriter(&out)
	_, err := writer.Write(plain)
	if errors.Join(err, writer.Close()) != nil || out.Len() >= len(plain) {
		return nil
	}
	return out.Bytes()
}

// contentTypeOf goes by the name alone: the tables of the machine it runs on are not asked, which differ.
func contentTypeOf(name string) string {
	switch ext := path.Ext(name); ext {
	case ".html", ".css", ".js", ".mjs", ".json", ".svg", ".txt", ".xml":
		known := map[string]string{
			".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".mjs": "text/javascript",
			".json": "application/json", ".svg": "image/svg+xml", ".txt": "text/plain", ".xml": "text/xml",
		}
		return known[ext] + "; charset=utf-8"
	case ".webmanifest":
		return "application/manifest+json"
	case ".woff2":
		return "font/woff2"
	case ".ico":
		return "image/x-icon"
	default:
		if known := mime.TypeByExtension(ext); known != "" {
			return known
		}
	}
	return "application/octet-stream"
}

func isCompressible(contentType string) bool {
	return strings.HasPrefix(contentType, "text/") || strings.Contains(contentType, "json") || strings.Contains(contentType, "svg")
}

// isAppRoute reports whether an address is one of the web client's own, which it shows by itself once it is loaded.
func isAppRoute(address string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(address, "/"), "/")
	switch first {
	case "", "rooms", "browse", "invite", "settings", "signin", "signup":
		return true
	}
	return false
}

// Find gives what stands at an address: a file, the index of a folder, or for one of the client's own addresses its page.
// It is nil where there is nothing.
func (s *Site) Find(address string) *File {
	if file, ok := s.files[address]; ok {
		return file
	}
	if strings.HasSuffix(address, "/") {
		if file, ok := s.files[address+"index.html"]; ok {
			return file
		}
	}
	if isAppRoute(address) {
		return s.files["/index.html"]
	}
	return nil
}

// ServeHTTP answers with the file: its bytes, in the smallest form that the client understands, or that the client has
// them already.
func (f *File) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	forms, err := f.forms()
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError) // files inside the binary can always be read
		return
	}
	body, encoding := forms.choose(r.Header.Get("Accept-Encoding"))
	header := w.Header()
	header.Set("Cache-Control", f.cache)
	header.Set("Vary", "Accept-Encoding")
	etag := forms.etag
	if encoding != "" {
		etag = strings.TrimSuffix(etag, `"`) + "-" + encoding + `"` // forms are different bytes
	}
	header.Set("ETag", etag)
	if matches(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if encoding != "" {
		header.Set("Content-Encoding", encoding)
	}
	header.Set("Content-Type", f.contentType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// choose takes the smallest form that the client understands.
func (f forms) choose(accepted string) (body []byte, encoding string) {
	for _, form := range []struct {
		encoding string
		body     []byte
	}{{"br", f.brotli}, {"gzip", f.gzip}} {
		if form.body != nil && understands(accepted, form.encoding) {
			return form.body, form.encoding
		}
	}
	return f.plain, ""
}

func understands(accepted, encoding string) bool {
	for part := range strings.SplitSeq(accepted, ",") {
		name, quality, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), encoding) {
			q, given := strings.CutPrefix(strings.ReplaceAll(quality, " ", ""), "q=")
			return !given || strings.Trim(q, "0.") != ""
		}
	}
	return false
}

func matches(ifNoneMatch, etag string) bool {
	for part := range strings.SplitSeq(ifNoneMatch, ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "W/")
		if part == etag || part == "*" {
			return true
		}
	}
	return false
}
