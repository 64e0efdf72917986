package archive

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// damaged refuses an archive with a sentence.
func damaged(format string, args ...any) error {
	return chat.Refuse(chat.Invalid, "this is not a whole archive: "+format, args...)
}

// reader reads an archive and checks everything about it on the way.
type reader struct {
	tar      *tar.Reader
	sum      hash.Hash
	manifest Manifest // as it is read; compared with the one at the end
	table    int      // of tables, to which the last part belonged
	parts    int      // of the table, read
}

// read calls visit with every row and begin with the origin before the first; progress after each part.
func read(r io.Reader, begin func(Origin) error, visit func(row chat.Row) error, progress func(Progress)) (Manifest, error) {
	a := &reader{tar: tar.NewReader(r), sum: sha256.New(), manifest: Manifest{Rows: make(map[string]int64)}}
	if err := a.header(); err != nil {
		return Manifest{}, err
	}
	if err := begin(a.manifest.Origin); err != nil {
		return Manifest{}, err
	}
	for {
		name, content, err := a.next()
		if err != nil {
			return Manifest{}, err
		}
		if name == manifestName {
			return a.end(content)
		}
		if err := a.advance(name); err != nil {
			return Manifest{}, err
		}
		addToSum(a.sum, name, content)
		if err := a.part(name, content, visit); err != nil {
			return Manifest{}, err
		}
		table := tables()[a.table]
		progress(Progress{Table: table, Rows: a.manifest.Rows[table]})
	}
}

// next reads an entry. An archive that ends before its manifest was cut short.
func (a *reader) next() (name string, content []byte, err error) {
	entry, err := a.tar.Next()
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "", nil, damaged("it ends in the middle; was it copied completely?")
	case err != nil:
		return "", nil, damaged("it cannot be read as a tar file (%v)", err)
	case entry.Typeflag != tar.TypeReg:
		return "", nil, damaged("%q in it is not a plain file", entry.Name)
	case entry.Size > partBytesMax:
		return "", nil, damaged("%q in it has %d bytes, which is too much", entry.Name, entry.Size)
	}
	content = make([]byte, entry.Size)
	if _, err := io.ReadFull(a.tar, content); err != nil {
		return "", nil, damaged("it ends in the middle of %q; was it copied completely?", entry.Name)
	}
	return entry.Name, content, nil
}

func (a *reader) header() error {
	name, content, err := a.next()
	if err != nil {
		return err
	}
	var h header
	if name != headerName || json.Unmarshal(content, &h) != nil || h.Format != formatName {
		return damaged("it does not begin like one of blabber-hive's")
	}
	if h.FormatVersion != formatVersion {
		return chat.Refuse(chat.Invalid, "this archive has format %d and this program reads %d: use the version that wrote it (%s) or a newer one",
			h.FormatVersion, formatVersion, h.Version)
	}
	addToSum(a.sum, name, content)
	a.manifest.Origin = h.Origin
	return nil
}

// advance accepts the name of the part that comes next, and no other: no part is missing, twice, or somewhere else.
func (a *reader) advance(name string) error {
	if name == partName(tables()[a.table], a.parts+1) {
		a.parts++
		return nil
	}
	for table := a.table + 1; table < len(tables()); table++ {
		if name == partName(tables()[table], 1) {
			a.table, a.parts = table, 1
			return nil
		}
	}
	return damaged("%q is not what comes next in it", name)
}

func (a *reader) part(name string, content []byte, visit func(row chat.Row) error) error {
	table := tables()[a.table]
	for line := 1; len(content) > 0; line++ {
		text, rest, found := bytes.Cut(content, []byte{'\n'})
		if !found {
			return damaged("line %d of %s has no end", line, name)
		}
		row, err := rowOf(table, text)
		if err != nil {
			return damaged("line %d of %s: %v", line, name, err)
		}
		if err := visit(row); err != nil {
			return fmt.Errorf("line %d of %s: %w", line, name, err)
		}
		a.manifest.Rows[table]++
		content = rest
	}
	return nil
}

func (a *reader) end(content []byte) (Manifest, error) {
	a.manifest.SHA256 = hex.EncodeToString(a.sum.Sum(nil))
	var want Manifest
	if err := json.Unmarshal(content, &want); err != nil {
		return Manifest{}, damaged("its manifest cannot be read (%v)", err)
	}
	if want.SHA256 != a.manifest.SHA256 {
		return Manifest{}, damaged("its contents are not what its manifest says (SHA-256 %s, not %s)", a.manifest.SHA256, want.SHA256)
	}
	if want.ID != a.manifest.ID || !maps.Equal(want.Rows, a.manifest.Rows) {
		return Manifest{}, damaged("its manifest is that of another one")
	}
	return a.manifest, nil
}
