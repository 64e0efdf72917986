// Package web carries the built web client inside the server's binary.
package web

import (
	"embed"
	"io/fs"
)

// dist holds the client's build under client/; before the first build, only a placeholder.
//
//go:embed all:dist
var dist embed.FS

// Client returns the files of the built client, index.html at the root. It reports false when this binary
// was compiled before the client was built, so that the server can say so instead of answering 404.
func Client() (client fs.FS, ok bool) {
	client, err := fs.Sub(dist, "dist/client")
	if err != nil {
		return nil, false
	}
	if _, err := fs.Stat(client, "index.html"); err != nil {
		return nil, false
	}
	return client, true
}
