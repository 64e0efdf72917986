package archive

import (
	"context"
	"fmt"
	"io"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// putRows is how many rows one transaction takes: enough that the sync of the disk costs little, few enough that they fit
// in memory a thousand times over.
const putRows = 1000

// Import takes an archive into an instance. It reads the archive twice: the first time it changes nothing and refuses what
// is not whole. Started again after it was cut short it goes on; what is already there stays. progress is called after
// each part, of the second reading.
func Import(ctx context.Context, target Target, r io.ReadSeeker, progress func(Progress)) (Manifest, error) {
	if _, err := Inspect(r); err != nil {
		return Manifest{}, fmt.Errorf("import: %w", err)
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return Manifest{}, fmt.Errorf("read the archive again: %w", err)
	}
	i := &importer{target: target, rows: make([]chat.Row, 0, putRows)}
	manifest, err := read(r, func(origin Origin) error {
		var err error
		i.done, err = target.BeginImport(ctx, origin.ID)
		return err
	}, func(row chat.Row) error { return i.take(ctx, row) }, progress)
	if err == nil {
		err = i.end(ctx, manifest.ID)
	}
	if err != nil {
		return Manifest{}, fmt.Errorf("import: %w", err)
	}
	return manifest, nil
}

// Inspect reads an archive to its end and says what is in it, or why it is not a whole one.
func Inspect(r io.Reader) (Manifest, error) {
	return read(r, func(Origin) error { return nil }, func(chat.Row) error { return nil }, func(Progress) {})
}

type importer struct {
	target Target
	rows   []chat.Row
	done   bool // an earlier import took everything
}

func (i *importer) take(ctx context.Context, row chat.Row) error {
	if i.done {
		return ctx.Err()
	}
	i.rows = append(i.rows, row)
	if len(i.rows) < putRows {
		return nil
	}
	return i.put(ctx)
}

func (i *importer) put(ctx context.Context) error {
	if err := i.target.Put(ctx, i.rows); err != nil {
		return err
	}
	clear(i.rows)
	i.rows = i.rows[:0]
	return nil
}

func (i *importer) end(ctx context.Context, archive string) error {
	if i.done {
		return nil
	}
	if err := i.put(ctx); err != nil {
		return err
	}
	return i.target.EndImport(ctx, archive)
}
