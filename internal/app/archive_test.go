package app_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/app"
)

// Promise: everything that is stored, exported while the server runs, is imported into an empty folder, can be imported
// again without harm, and is served there: people sign in with their passwords and read what was said.
func TestExportAndImport(t *testing.T) {
	t.Parallel()
	from, to := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "data")
	archive := filepath.Join(t.TempDir(), "backup.tar")
	server := start(t, func(c *app.Config) { c.DataDir, c.Mood = from, "off" }) // so that nothing comes later
	room := conversation(t, server)
	if code, out, errs := blabberHive(t, "", "export", archive, "--data-dir", from); code != app.ExitDone || !strings.Contains(out, "1 accounts, 1 rooms, 12 events") {
		t.Fatalf("export while serving: code %d, %q, %q", code, out, errs)
	}
	if code, _, errs := blabberHive(t, "", "export", archive, "--data-dir", from); code != app.ExitFailed || !strings.Contains(errs, "--force") {
		t.Errorf("export over a file: code %d, %q", code, errs)
	}
	for _, how := range []string{"into an empty folder", "once more"} {
		if code, out, errs := blabberHive(t, "", "import", archive, "--data-dir", to); code != app.ExitDone || !strings.Contains(out, "12 events") {
			t.Fatalf("import %s: code %d, %q, %q", how, code, out, errs)
		}
	}
	if code, out, errs := blabberHive(t, "", "verify", "--data-dir", to); code != app.ExitDone || !strings.Contains(out, "All is well: 1 accounts, 1 rooms, 12 numbers") {
		t.Errorf("verify: code %d, %q, %q", code, out, errs)
	}
	if code, _, errs := blabberHive(t, "", "import", archive, "--data-dir", from); code != app.ExitFailed || !strings.Contains(errs, "stop it first") {
		t.Errorf("import under a running server: code %d, %q", code, errs)
	}

	copied := start(t, func(c *app.Config) { c.DataDir = to })
	status, body := call(t, http.MethodPost, copied.Addr(), "/api/v1/auth/login", "", `{"username":"ada","password":"a long password"}`)
	if status != http.StatusOK {
		t.Fatalf("log in to the copy: %d %s", status, body)
	}
	status, body = call(t, http.MethodGet, copied.Addr(), "/api/v1/rooms/"+room+"/messages", tokenIn(t, body), "")
	if status != http.StatusOK || !strings.Contains(body, `"said 9"`) {
		t.Errorf("read in the copy: %d %s", status, body)
	}
	if code, out, errs := blabberHive(t, "", "verify", "--data-dir", to); code != app.ExitDone || !strings.Contains(out, "All is well") {
		t.Errorf("verify while serving: code %d, %q, %q", code, out, errs)
	}
}

// conversation lets somebody make a room, say ten things in it, and answers the room.
func conversation(t *testing.T, server *app.Server) (room string) {
	t.Helper()
	token := signUp(t, server, "ada")
	status, body := call(t, http.MethodPost, server.Addr(), "/api/v1/rooms", token, `{"name":"Tea","visibility":"public"}`)
	if status != http.StatusCreated {
		t.Fatalf("make a room: %d %s", status, body)
	}
	room = idIn(t, body)
	for n := range 10 {
		status, body := call(t, http.MethodPost, server.Addr(), "/api/v1/rooms/"+room+"/messages", token,
			fmt.Sprintf(`{"id":"01920000-0000-7000-8000-00000000000%d","body":"said %d"}`, n, n))
		if status != http.StatusCreated {
			t.Fatalf("send: %d %s", status, body)
		}
	}
	return room
}

// Promise: what is not a whole archive, and a folder that holds something else, are refused with a sentence; a cut-off
// export leaves no file that looks like one.
func TestImportRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from, archive := filepath.Join(dir, "data"), filepath.Join(dir, "backup.tar")
	server := start(t, func(c *app.Config) { c.DataDir = from })
	conversation(t, server)
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := blabberHive(t, "", "export", archive, "--data-dir", from); code != app.ExitDone {
		t.Fatalf("export: code %d, %q", code, errs)
	}
	whole, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	cut, changed := filepath.Join(dir, "cut.tar"), filepath.Join(dir, "changed.tar")
	if err := os.WriteFile(cut, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	other := []byte(strings.Replace(string(whole), "said 9", "SAID 9", 1))
	if err := os.WriteFile(changed, other, 0o600); err != nil {
		t.Fatal(err)
	}
	used := filepath.Join(dir, "used")
	if code, _, errs := blabberHive(t, "", "user", "create", "bob", "--generate", "--data-dir", used); code != app.ExitDone {
		t.Fatalf("user create: code %d, %q", code, errs)
	}
	for name, tc := range map[string]struct{ file, into string }{
		"a cut-off archive":     {cut, "a"},
		"a changed archive":     {changed, "b"},
		"no archive":            {filepath.Join(from, "blabber-hive.db"), "c"},
		"no file":               {filepath.Join(dir, "nothing.tar"), "d"},
		"a folder that is used": {archive, "used"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := blabberHive(t, "", "import", tc.file, "--data-dir", filepath.Join(dir, tc.into))
			if code != app.ExitFailed || out != "" || errs == "" {
				t.Errorf("import: code %d, %q, %q", code, out, errs)
			}
			t.Log(strings.TrimSpace(errs))
		})
	}
	target := filepath.Join(dir, "none", "backup.tar")
	if code, _, errs := blabberHive(t, "", "export", target, "--data-dir", from); code != app.ExitFailed {
		t.Errorf("export to nowhere: code %d, %q", code, errs)
	}
	for _, command := range [][]string{{"verify"}, {"export", filepath.Join(dir, "x.tar")}, {"user", "list"}} {
		code, _, errs := blabberHive(t, "", append(command, "--data-dir", filepath.Join(dir, "misspelt"))...)
		if code != app.ExitFailed || !strings.Contains(errs, "there is no data in") {
			t.Errorf("%q of a folder that is not there: code %d, %q", command, code, errs)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.partial")); err != nil || len(left) > 0 {
		t.Errorf("unfinished archives are left: %q, %v", left, err)
	}
}
