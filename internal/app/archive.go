package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/app/terminal"
	"github.com/blabber-hive/blabber-hive/internal/archive"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// partial is what an archive is called until all of it is on the disk.
const partial = ".partial"

// keeper copies and checks what is stored: in the server that runs, or in the command where none does.
type keeper interface {
	export(ctx context.Context, w io.Writer) error
	verify(ctx context.Context, report func(finding string)) (archive.Counts, error)
}

// storeKeeper is the keeper of the process that has the store open.
type storeKeeper struct {
	store   store
	version string
	agree   func(ctx context.Context, report func(finding string)) (records int64, err error) // with the log of a cluster; nil alone
}

func (k storeKeeper) export(ctx context.Context, w io.Writer) error {
	origin := archive.Origin{ID: chat.MessageID(newID()).String(), At: time.Now().UTC(), Version: k.version}
	_, err := archive.Export(ctx, k.store, origin, w, func(archive.Progress) {})
	return err
}

func (k storeKeeper) verify(ctx context.Context, report func(finding string)) (archive.Counts, error) {
	counts, err := archive.Verify(ctx, k.store, report)
	if err != nil || k.agree == nil {
		return counts, err
	}
	counts.Records, err = k.agree(ctx, report)
	return counts, err
}

// keep lets the data be copied or checked by the server that runs on it, or, where none runs, by this process.
func (d Data) keep(p *Process, act func(ctx context.Context, keeper keeper) error) error {
	if err := d.mustExist(); err != nil {
		return err
	}
	ctx, release := p.untilSignal()
	defer release()
	if d.Cluster.on() {
		return d.Cluster.keep(ctx, p, act)
	}
	path, err := socketName(d.DataDir)
	if err != nil {
		return err
	}
	if err := act(ctx, controlKeeper{path}); !errors.Is(err, errNoServer) {
		return err
	}
	store, err := d.openStore(ctx)
	if err != nil {
		return err
	}
	return errors.Join(act(ctx, storeKeeper{store: store, version: p.Version}), store.Close())
}

// mustExist keeps a misspelt folder from being taken for an empty one, in which all is well.
func (d Data) mustExist() error {
	if d.Cluster.on() {
		return nil // opening the database tells
	}
	entries, err := os.ReadDir(d.DataDir)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && len(entries) == 0) {
		return fmt.Errorf("there is no data in %s: name the folder that the server uses with --data-dir (DATA_DIR)", d.DataDir)
	}
	if err != nil {
		return fmt.Errorf("look into the data folder: %w", err)
	}
	return nil
}

type exportCommand struct {
	Data  `embed:""`
	File  string `arg:"" help:"Archive to write, like backup.tar."`
	Force bool   `help:"Replace the file if it is there."`
}

// Run writes an archive and reads it back.
func (c *exportCommand) Run(p *Process) error {
	if err := c.Check(); err != nil {
		return err
	}
	if _, err := os.Stat(c.File); err == nil && !c.Force {
		return fmt.Errorf("%s is there already: give another name, or --force to replace it", c.File)
	}
	var manifest archive.Manifest
	err := c.keep(p, func(ctx context.Context, keeper keeper) error {
		var err error
		manifest, err = c.write(ctx, p, keeper)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(p.Out, "Exported to %s: %s.\n", c.File, contents(manifest))
	return nil
}

// write writes the archive under another name, reads it back to its end, and only then gives it its own: whatever is cut
// short, a file of that name is a whole archive.
func (c *exportCommand) write(ctx context.Context, p *Process, keeper keeper) (manifest archive.Manifest, err error) {
	name := c.File + partial
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // the operator names the file
	if err != nil {
		return manifest, fmt.Errorf("make the archive: %w", err)
	}
	defer func() {
		_ = file.Close() // synced before, or of no use
		if err != nil {
			err = errors.Join(err, os.Remove(name))
		}
	}()
	meter := terminal.NewMeter(p.Err, "exported", 0)
	if err := keeper.export(ctx, io.MultiWriter(file, meter)); err != nil {
		meter.End()
		return manifest, err
	}
	meter.End()
	if err := file.Sync(); err != nil {
		return manifest, fmt.Errorf("bring the archive to the disk: %w", err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return manifest, fmt.Errorf("read the archive back: %w", err)
	}
	if manifest, err = archive.Inspect(file); err != nil {
		return manifest, fmt.Errorf("read the archive back: %w", err)
	}
	if err := os.Rename(name, c.File); err != nil {
		return manifest, fmt.Errorf("name the archive: %w", err)
	}
	return manifest, nil
}

type importCommand struct {
	Data `embed:""`
	File string `arg:"" help:"Archive that 'export' wrote."`
}

// Run takes an archive into an empty data folder.
func (c *importCommand) Run(p *Process) (err error) {
	if err := c.Check(); err != nil {
		return err
	}
	file, err := os.Open(c.File)
	if err != nil {
		return fmt.Errorf("open the archive: %w", err)
	}
	defer file.Close()
	about, err := file.Stat()
	if err != nil {
		return fmt.Errorf("open the archive: %w", err)
	}
	ctx, release := p.untilSignal()
	defer release()
	store, err := c.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	const readings = 2 // once to check it, once to take it
	meter := terminal.NewMeter(p.Err, "imported", readings*about.Size())
	manifest, err := archive.Import(ctx, store, &terminal.Metered{ReadSeeker: file, Meter: meter}, func(archive.Progress) {})
	meter.End()
	switch {
	case ctx.Err() != nil:
		return terminal.ErrStopped
	case err != nil:
		return inWords(err)
	}
	fmt.Fprintf(p.Out, "Imported from %s: %s. People sign in with the passwords that they had.\n", c.File, contents(manifest))
	return nil
}

// contents says what is in an archive.
func contents(manifest archive.Manifest) string {
	var words []string
	for _, table := range []string{"users", "rooms", "log"} {
		words = append(words, fmt.Sprintf("%d %s", manifest.Rows[table], map[string]string{
			"users": "accounts", "rooms": "rooms", "log": "events",
		}[table]))
	}
	return strings.Join(words, ", ")
}

type verifyCommand struct {
	Data `embed:""`
}

// Run checks the data against itself, and in a cluster against the log.
func (c *verifyCommand) Run(p *Process) error {
	if err := c.Check(); err != nil {
		return err
	}
	var findings []string
	err := c.keep(p, func(ctx context.Context, keeper keeper) error {
		counts, err := keeper.verify(ctx, func(finding string) {
			findings = append(findings, finding)
			fmt.Fprintln(p.Out, finding)
		})
		if err == nil && len(findings) == 0 {
			fmt.Fprintf(p.Out, "All is well: %d accounts, %d rooms, %d numbers, none missing, none twice.\n", counts.Accounts, counts.Rooms, counts.Numbers)
			if c.Cluster.on() {
				fmt.Fprintf(p.Out, "The database says what the log says: %d records compared.\n", counts.Records)
			}
		}
		return err
	})
	if err == nil && len(findings) > 0 {
		return fmt.Errorf("%s contradicts itself in %d places; keep a copy, and tell the project", c.place(), len(slices.Compact(findings)))
	}
	return err
}
