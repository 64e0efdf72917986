package engine

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

const holderEnv = "BLABBER_HIVE_TEST_HOLD"

// Promise: a second process on the same directory is refused with a sentence, until the first is gone, however it went.
func TestTwoProcesses(t *testing.T) {
	if dir := os.Getenv(holderEnv); dir != "" { // the first process
		s := setup(t, Options{Dir: dir})
		if err := s.Write(t.Context(), func(c *Conn) error {
			_, err := c.Exec(`insert into keys (name, value) values ('held', x'07')`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		_, _ = os.Stdout.WriteString("open\n")
		_, _ = os.Stdin.Read(make([]byte, 1)) // until it is killed
		return
	}
	t.Parallel()
	dir := t.TempDir()
	first := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTwoProcesses$")
	first.Env = append(os.Environ(), holderEnv+"="+dir)
	stdin, err := first.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stdin.Close() }()
	stdout, err := first.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "open\n" {
		t.Fatalf("the first process says %q, %v", line, err)
	}
	if s, err := Open(t.Context(), Options{Dir: dir, Migrations: schema}); err == nil || !strings.Contains(err.Error(), "another blabber-hive is running on "+dir) {
		t.Errorf("Open while another process has it = %v, %v, want a sentence", s, err)
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait() // says that it was killed
	s := setup(t, Options{Dir: dir})
	var kept int
	if err := s.Read(t.Context(), func(c *Conn) error { return c.Row(`select count(*) from keys`, nil, &kept) }); err != nil || kept != 1 {
		t.Errorf("%d keys after the kill, %v, want what was committed", kept, err)
	}
}

// Promise: nobody else on the machine reads the database.
func TestFileModes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data with % and ? and #", "한글")
	s := setup(t, Options{Dir: dir})
	if err := s.Write(t.Context(), func(c *Conn) error { return c.Script(`insert into keys (name, value) values ('key', x'00')`) }); err != nil {
		t.Fatal(err)
	}
	files := 0
	if err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		info, infoErr := entry.Info()
		if err := errors.Join(err, infoErr); err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		if !entry.IsDir() {
			files++
		}
		return nil
	}); err != nil || files != 4 {
		t.Errorf("%d files, %v, want the database, its WAL, its index and the lock", files, err)
	}
}

// Promise: a database of a newer binary is refused with a sentence, and left as it is.
func TestNewerDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := setup(t, Options{Dir: dir})
	if err := s.Write(t.Context(), func(c *Conn) error { return c.Script("pragma user_version = 999") }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := Open(t.Context(), Options{Dir: dir, Migrations: schema}); err == nil || !strings.Contains(err.Error(), "newer blabber-hive") {
			t.Errorf("Open = %v, want a sentence", err)
		}
	}
}

// Promise: a file that is not a database is refused, not overwritten.
func TestNotADatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, databaseName)
	content := []byte(strings.Repeat("this is no database ", 100))
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Options{Dir: dir, Migrations: schema}); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("Open = %v, want unavailable", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != string(content) {
		t.Errorf("the file was changed, %v", err)
	}
}
