package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Export writes everything that the source holds at one moment. progress is called after each part. The source keeps that
// moment until it has been written, so w should be a file and not somebody's slow line.
func Export(ctx context.Context, source Source, origin Origin, w io.Writer, progress func(Progress)) (Manifest, error) {
	e := &exporter{
		tar: tar.NewWriter(w), progress: progress, sum: sha256.New(),
		manifest: Manifest{Origin: origin, Rows: make(map[string]int64)},
	}
	if err := e.json(headerName, header{formatName, formatVersion, origin}); err != nil {
		return Manifest{}, fmt.Errorf("write the archive: %w", err)
	}
	if err := source.Rows(ctx, func(row chat.Row) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return e.row(row)
	}); err != nil {
		return Manifest{}, fmt.Errorf("export: %w", err)
	}
	if err := e.close(); err != nil {
		return Manifest{}, fmt.Errorf("write the archive: %w", err)
	}
	return e.manifest, nil
}

type exporter struct {
	tar      *tar.Writer
	progress func(Progress)
	manifest Manifest
	sum      hash.Hash

	table int // of tables, to which part belongs
	part  bytes.Buffer
	parts int // of the table, written
}

func (e *exporter) row(row chat.Row) error {
	name, line, err := lineOf(row)
	if err != nil {
		return err
	}
	table := slices.Index(tables(), name)
	switch {
	case table < e.table:
		return fmt.Errorf("a row of %s after one of %s", name, tables()[e.table])
	case table > e.table:
		if err := e.flush(); err != nil {
			return err
		}
		e.table, e.parts = table, 0
	case e.part.Len() >= partBytes:
		if err := e.flush(); err != nil {
			return err
		}
	}
	if err := json.NewEncoder(&e.part).Encode(line); err != nil {
		return fmt.Errorf("encode a row of %s: %w", name, err)
	}
	e.manifest.Rows[name]++
	return nil
}

func (e *exporter) flush() error {
	if e.part.Len() == 0 {
		return nil
	}
	table := tables()[e.table]
	e.parts++
	if err := e.entry(partName(table, e.parts), e.part.Bytes()); err != nil {
		return err
	}
	e.part.Reset()
	e.progress(Progress{Table: table, Rows: e.manifest.Rows[table]})
	return nil
}

func (e *exporter) close() error {
	if err := e.flush(); err != nil {
		return err
	}
	e.manifest.SHA256 = hex.EncodeToString(e.sum.Sum(nil))
	if err := e.json(manifestName, e.manifest); err != nil {
		return err
	}
	return e.tar.Close()
}

func (e *exporter) json(name string, content any) error {
	text, err := json.MarshalIndent(content, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	return e.entry(name, append(text, '\n'))
}

func (e *exporter) entry(name string, content []byte) error {
	if err := e.tar.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: name, Size: int64(len(content)), Mode: 0o600, ModTime: e.manifest.At,
	}); err != nil {
		return err
	}
	if _, err := e.tar.Write(content); err != nil {
		return err
	}
	addToSum(e.sum, name, content)
	return nil
}

func partName(table string, part int) string { return fmt.Sprintf("%s/%08d.ndjson", table, part) }

// addToSum covers names, lengths and contents: no byte can move from one entry to the next.
func addToSum(sum hash.Hash, name string, content []byte) {
	_, _ = fmt.Fprintf(sum, "%s %d\n", name, len(content)) // a hash takes everything
	_, _ = sum.Write(content)
}
