package app_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/app"
)

// blabberHive runs a command as the binary would, without anything in the environment.
func blabberHive(t *testing.T, stdin string, args ...string) (code int, out, errs string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stdin")
	if err := os.WriteFile(path, []byte(stdin), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var stdout, stderr bytes.Buffer
	code = app.Main(app.Process{
		Args: args, In: in, Out: &stdout, Err: &stderr, Signals: make(chan os.Signal), Version: "v1.2.3",
	})
	return code, stdout.String(), stderr.String()
}

// Promise: a newcomer can find every command and every flag, with what it is by default and the variable for it.
func TestHelp(t *testing.T) {
	t.Parallel()
	code, out, _ := blabberHive(t, "", "--help")
	if code != app.ExitDone {
		t.Errorf("--help ends with code %d", code)
	}
	for _, want := range []string{"serve", "migrate", "version", "healthcheck", "user create", "openapi", "http://localhost:8080", "./data", "Exit codes"} {
		if !strings.Contains(out, want) {
			t.Errorf("--help does not name %q:\n%s", want, out)
		}
	}
	if _, out, _ := blabberHive(t, "", "replay", "--help"); !strings.Contains(out, "does not bring back: passwords") || !strings.Contains(out, "--accept-missing") {
		t.Errorf("replay --help does not say what is lost:\n%s", out)
	}
	code, out, _ = blabberHive(t, "", "serve", "--help")
	if code != app.ExitDone {
		t.Errorf("serve --help ends with code %d", code)
	}
	flags := regexp.MustCompile(`(?m)^ +--([a-z-]+)`).FindAllStringSubmatch(out, -1)
	if len(flags) < 12 {
		t.Errorf("serve --help lists %d flags:\n%s", len(flags), out)
	}
	for _, flag := range flags {
		if variable := strings.ToUpper(strings.ReplaceAll(flag[1], "-", "_")); !strings.Contains(out, "($"+variable+")") {
			t.Errorf("serve --help does not say that --%s is also %s", flag[1], variable)
		}
	}
}

// Promise: a command line that cannot work ends with code 2 and a sentence, before anything is touched.
func TestUsageIsRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"an unknown flag":              {[]string{"--adress", ":8080"}, "--adress"},
		"an unknown command":           {[]string{"start"}, "start"},
		"a time that is none":          {[]string{"--drain-spread", "soon"}, "soon"},
		"a bad address":                {[]string{"serve", "--addr", "8080"}, "--addr (ADDR)"},
		"a user without a name":        {[]string{"user", "create"}, "username"},
		"a password as an argument":    {[]string{"user", "create", "jun", "--password", "secretpass"}, "--password"},
		"two sources for a password":   {[]string{"user", "create", "jun", "--generate", "--password-stdin"}, "can't be used together"},
		"no terminal for a password":   {[]string{"user", "create", "jun", "--data-dir", "/nowhere"}, "--password-stdin or --generate"},
		"a replay from a time":         {[]string{"replay", "--from", "2026-11-23T12:00:00Z"}, "only from its beginning"},
		"a replay from an offset":      {[]string{"replay", "--from", "12"}, "only from its beginning"},
		"a replay from somewhere":      {[]string{"replay", "--from", "yesterday"}, "give 'earliest'"},
		"a replay that misses nothing": {[]string{"replay", "--from", "backup", "--accept-missing"}, "for --from earliest"},
		"a new log of one alone":       {[]string{"migrate", "--new-log"}, "for a cluster"},
		"a replay from nowhere":        {[]string{"replay"}, "--from"},
		"a replay without a cluster":   {[]string{"replay", "--from", "earliest"}, "DATABASE_URL"},
		"a health check of no address": {[]string{"healthcheck", "--admin-addr", "off"}, "--admin-addr (ADMIN_ADDR)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := blabberHive(t, "", tc.args...)
			if code != app.ExitUsage || out != "" || !strings.Contains(errs, tc.want) || !strings.Contains(errs, "--help") {
				t.Errorf("code %d, out %q, err %q; want code %d and %q", code, out, errs, app.ExitUsage, tc.want)
			}
		})
	}
}

// Promise: a variable counts like its flag, and the command line wins.
func TestEnvironment(t *testing.T) {
	t.Setenv("ADDR", "nowhere")
	if code, _, errs := blabberHive(t, ""); code != app.ExitUsage || !strings.Contains(errs, `--addr (ADDR) is "nowhere"`) {
		t.Errorf("with ADDR=nowhere: code %d, %q", code, errs)
	}
	if code, _, errs := blabberHive(t, "", "--addr", "elsewhere"); code != app.ExitUsage || !strings.Contains(errs, `"elsewhere"`) {
		t.Errorf("with ADDR=nowhere and --addr elsewhere: code %d, %q", code, errs)
	}
	t.Setenv("ADDR", "localhost:8080")
	t.Setenv("DATABASE_URL", "postgres://me:hunter2@db/chat")
	for _, args := range [][]string{{"serve"}, {"migrate"}, {"user", "list"}} {
		code, _, errs := blabberHive(t, "", args...)
		if code != app.ExitUsage || !strings.Contains(errs, "DATABASE_URL") || strings.Contains(errs, "hunter2") {
			t.Errorf("%q with DATABASE_URL: code %d, %q", args, code, errs)
		}
	}
}

// Promise: version and the OpenAPI document need nothing, least of all a data folder.
func TestCommandsWithoutData(t *testing.T) {
	t.Parallel()
	if code, out, _ := blabberHive(t, "", "version"); code != app.ExitDone || out != "blabber-hive v1.2.3\n" {
		t.Errorf("version: code %d, %q", code, out)
	}
	code, out, errs := blabberHive(t, "", "openapi")
	var document struct {
		OpenAPI string                    `json:"openapi"`
		Paths   map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal([]byte(out), &document); code != app.ExitDone || err != nil {
		t.Fatalf("openapi: code %d, %v, %q", code, err, errs)
	}
	if !strings.HasPrefix(document.OpenAPI, "3.1") || document.Paths["/rooms/{room_id}/messages"]["post"] == nil {
		t.Errorf("openapi is of version %q and has %d paths", document.OpenAPI, len(document.Paths))
	}
}

// Promise: accounts can be made and managed while no server runs, and what was done is there afterwards.
func TestUserCommands(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	do := func(stdin string, args ...string) (int, string, string) {
		return blabberHive(t, stdin, append(append([]string{"user"}, args...), "--data-dir", dir)...)
	}
	for _, step := range []struct {
		stdin string
		args  []string
		code  int
		want  string
	}{
		{"a long password\n", []string{"create", "Jun", "--password-stdin", "--display-name", "Jun Park", "--admin"}, app.ExitDone, "account jun"},
		{"", []string{"create", "ada", "--generate"}, app.ExitDone, "Password: "},
		{"", []string{"create", "ADA", "--generate"}, app.ExitFailed, `an account "ada" already`},
		{"short\n", []string{"create", "bob", "--password-stdin"}, app.ExitFailed, "at least 8 characters"},
		{"", []string{"create", "b b", "--generate"}, app.ExitFailed, "a username has"},
		{"", []string{"list"}, app.ExitDone, "Jun Park"},
		{"", []string{"disable", "ada"}, app.ExitDone, "ada is locked"},
		{"", []string{"enable", "ada"}, app.ExitDone, "ada can sign in"},
		{"", []string{"make-admin", "ada"}, app.ExitDone, "ada is an administrator's"},
		{"", []string{"revoke-admin", "ada"}, app.ExitDone, "ada is an ordinary one"},
		{"", []string{"reset-password", "ada", "--generate"}, app.ExitDone, "Password: "},
		{"", []string{"disable", "eve"}, app.ExitFailed, `no account "eve"`},
	} {
		code, out, errs := do(step.stdin, step.args...)
		if code != step.code || !strings.Contains(out+errs, step.want) {
			t.Errorf("user %q: code %d, %q, %q; want code %d and %q", step.args, code, out, errs, step.code, step.want)
		}
	}
	if code, out, errs := blabberHive(t, "", "migrate", "--data-dir", dir); code != app.ExitDone || !strings.Contains(out, "up to date") {
		t.Errorf("migrate: code %d, %q, %q", code, out, errs)
	}
}
