package archtest_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/blabber-hive/blabber-hive/internal/archtest"
)

const module = "github.com/blabber-hive/blabber-hive/"

// expect compares problems with what each must say, in order: "" for none.
func expect(t *testing.T, problems []archtest.Problem, want ...string) {
	t.Helper()

	if len(problems) != len(want) {
		t.Errorf("%d problems, want %d: %v", len(problems), len(want), problems)
		return
	}

	for i, problem := range problems {
		if !strings.Contains(problem.String(), want[i]) {
			t.Errorf("problem %d = %q, want it to say %q", i, problem, want[i])
		}
	}
}

// Promise: each kind of arrow that must not be is found, and each that may be is not.
func TestPlantedImports(t *testing.T) {
	t.Parallel()

	for name, tc := range map[string]struct {
		folder string
		path   string
		want   string
	}{
		"the core knows the network":           {"internal/chat", "net/http", "the core may import only"},
		"the core knows a library":             {"internal/numbering", "github.com/google/uuid", "the core may import only"},
		"the core is told of errors":           {"internal/chat", "errors", ""},
		"numbering knows the words":            {"internal/numbering", module + "internal/chat", ""},
		"chat knows numbering":                 {"internal/chat", module + "internal/numbering", "the core may import only"},
		"numbering runs":                       {"internal/numbering", module + "internal/run", "the core may import only"},
		"an arrow down":                        {"internal/gateway", module + "internal/wire", ""},
		"an arrow up":                          {"internal/wire", module + "internal/gateway", "from rank 3 to rank 5"},
		"edges meet":                           {"internal/gateway", module + "internal/sequencer", "from rank 5 to rank 5"},
		"services meet":                        {"internal/room", module + "internal/account", "from rank 4 to rank 4"},
		"a noun's own inner package":           {"internal/room", module + "internal/room/invite", ""},
		"an inner package has the rank":        {"internal/room/invite", module + "internal/account", "from rank 4 to rank 4"},
		"an edge names an adapter":             {"internal/gateway", module + "internal/adapter/redis", "only app names an adapter"},
		"main names an adapter":                {"cmd/blabber-hive", module + "internal/adapter/redis", "only app names an adapter"},
		"app names an adapter":                 {"internal/app", module + "internal/adapter/redis", ""},
		"an adapter knows the words":           {"internal/adapter/redis", module + "internal/chat", ""},
		"an adapter knows a service":           {"internal/adapter/redis", module + "internal/room", "an adapter may import only"},
		"an adapter knows another":             {"internal/adapter/redis", module + "internal/adapter/kafka", "an adapter may import only"},
		"an adapter's own inner package":       {"internal/adapter/redis", module + "internal/adapter/redis/lua", ""},
		"production knows a test":              {"internal/room", module + "internal/porttest/storetest", "only tests may import it"},
		"a test knows all":                     {"internal/sim", module + "internal/adapter/redis", ""},
		"an adapter's driver":                  {"internal/adapter/redis", "github.com/redis/rueidis", ""},
		"another's driver":                     {"internal/adapter/kafka", "github.com/redis/rueidis", "belongs to internal/adapter/redis alone"},
		"a driver's inner package":             {"internal/room", "github.com/jackc/pgx/v5/pgxpool", "belongs to internal/adapter/postgres alone"},
		"a name that only begins like it":      {"internal/room", "github.com/jackc/pgxtools", ""},
		"a standard driver":                    {"internal/room", "database/sql", "belongs to internal/adapter/sqlite and internal/adapter/postgres"},
		"app has every driver below it":        {"internal/app", "github.com/redis/rueidis", ""},
		"a folder that nobody gave a rank":     {"internal/util", "fmt", "is in no table"},
		"a top folder that nobody gave a rank": {"pkg/util", "fmt", "is in no table"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var want []string
			if tc.want != "" {
				want = []string{tc.want}
			}

			expect(t, archtest.BlabberHive().CheckImports([]archtest.Package{
				{Folder: tc.folder, Imports: []string{tc.path}, Deps: []string{tc.path}},
			}), want...)
		})
	}
}

// Promise: a driver that a library brings along is found; a standard one that half the world names is not.
func TestPlantedTransitiveImports(t *testing.T) {
	t.Parallel()
	expect(t, archtest.BlabberHive().CheckImports([]archtest.Package{{
		Folder:  "internal/search",
		Imports: []string{"example.com/orm"},
		Deps:    []string{"database/sql", "example.com/orm", "github.com/jackc/pgx/v5"},
	}}), "internal/search: reaches github.com/jackc/pgx/v5")
}

// Promise: what the go command says of a module is what CheckImports judges, also of one that does not build.
func TestPlantedModule(t *testing.T) {
	t.Parallel()

	root := t.TempDir()
	write(t, root, map[string]string{
		"go.mod":                        "module " + strings.TrimSuffix(module, "/") + "\n\ngo 1.26\n",
		"internal/chat/chat.go":         "package chat\n\nimport \"net/http\"\n\nvar _ = http.StatusOK\n",
		"internal/chat/chat_test.go":    "package chat\n\nimport _ \"" + module + "internal/room\"\n",
		"internal/room/room.go":         "package room\n\nimport _ \"" + module + "internal/gateway\"\n\nfunc broken() int {}\n",
		"internal/gateway/gateway.go":   "package gateway\n\nimport _ \"" + module + "internal/chat\"\n",
		"internal/adapter/redis/bus.go": "package redis\n\nimport _ \"" + module + "internal/chat\"\n",
	})

	packages, err := archtest.ListPackages(t.Context(), root, strings.TrimSuffix(module, "/"))
	if err != nil {
		t.Fatal(err)
	}

	expect(t, archtest.BlabberHive().CheckImports(packages),
		"internal/chat: imports net/http", "internal/room: imports "+module+"internal/gateway")
}

// Promise: each way to start a goroutine, to sleep, to act at init and to keep a changing global is found at its line.
func TestPlantedSource(t *testing.T) {
	t.Parallel()

	for name, tc := range map[string]struct {
		path, source string
		want         []string
	}{
		"a bare go":                   {"internal/room/a.go", "func f() { go f() }", []string{"a.go:3: only internal/run may say go"}},
		"a go in a command":           {"cmd/blabber-hive/a.go", "func f() { func() { go f() }() }", []string{"may say go"}},
		"a go in run":                 {"internal/run/a.go", "func f() { go f() }", nil},
		"a go in a test":              {"internal/room/a_test.go", "func f() { go f() }", nil},
		"a go in a conformance suite": {"internal/porttest/storetest/a.go", "func f() { go f() }", nil},
		"an errgroup":                 {"internal/room/a.go", "import \"golang.org/x/sync/errgroup\"\nvar _ errgroup.Group", []string{"use run.Group"}},
		"a wait group":                {"internal/room/a.go", "import s \"sync\"\ntype t struct { s.WaitGroup }", []string{"use run.Group"}},
		"a mutex":                     {"internal/room/a.go", "import \"sync\"\ntype t struct { sync.Mutex }", nil},
		"a sleep":                     {"internal/room/a.go", "import \"time\"\nfunc f() { time.Sleep(1) }", []string{"a.go:4: nobody sleeps"}},
		"a sleep in a test":           {"internal/room/a_test.go", "import \"time\"\nfunc f() { time.Sleep(1) }", []string{"nobody sleeps"}},
		"a sleep by another name": {
			"internal/room/a.go", "import clock \"time\"\nvar f = func() { g(clock.Sleep) }",
			[]string{"nobody sleeps", "f is a global variable"},
		},
		"another's Sleep":      {"internal/room/a.go", "func f(time interface{ Sleep() }) { time.Sleep() }", nil},
		"an init":              {"internal/room/a.go", "func init() {}", []string{"init runs before"}},
		"a method called init": {"internal/room/a.go", "type t struct{}\nfunc (t) init() {}", nil},
		"an error":             {"internal/room/a.go", "import \"errors\"\nvar ErrA = errors.New(\"a\")", nil},
		"an error by a helper": {"internal/room/a.go", "import \"x/chat\"\nvar ErrA = chat.Refuse(1)", nil},
		"a pattern":            {"internal/room/a.go", "import \"regexp\"\nvar p = regexp.MustCompile(\"a\")", nil},
		"an assertion":         {"internal/room/a.go", "var _ error = (*t)(nil)\ntype t struct{ error }", nil},
		"an embedded file":     {"internal/room/a.go", "import _ \"embed\"\n//go:embed a.sql\nvar query string", nil},
		"embedded files in a group": {
			"internal/room/a.go", "import _ \"embed\"\nvar (\n//go:embed a.sql\na string\nb string\n)",
			[]string{"a.go:7: b is a global"},
		},
		"a table": {"internal/room/a.go", "var m = map[int]int{1: 2}\nfunc f() int { return m[1] }", nil},
		"a table that is written": {
			"internal/room/a.go", "var m = map[int]int{1: 2}\nfunc f() { m[1] = 3 }",
			[]string{"a.go:3: m is a global that changes"},
		},
		"a table that is emptied":    {"internal/room/a.go", "var m = map[int]int{1: 2}\nfunc f() { clear(m) }", []string{"m is a global that changes"}},
		"a table that is counted up": {"internal/room/a.go", "var m = [1]int{}\nfunc f() { m[0]++ }", []string{"m is a global that changes"}},
		"a table that is lent":       {"internal/room/a.go", "var m = [1]int{}\nfunc f() *int { return &m[0] }", []string{"m is a global that changes"}},
		"a local of the same name":   {"internal/room/a.go", "var m = [1]int{}\nfunc f() { m := [1]int{}; m[0]++ }", nil},
		"a global without a value":   {"internal/room/a.go", "var n int", []string{"n is a global variable"}},
		"a global number":            {"internal/room/a.go", "var n = 5", []string{"n is a global variable"}},
		"a hook":                     {"internal/room/a.go", "import \"time\"\nvar now = time.Now", []string{"now is a global variable"}},
		"a global client":            {"internal/room/a.go", "import \"x/client\"\nvar c = client.New()", []string{"c is a global variable"}},
		"a global lock":              {"internal/room/a.go", "import \"sync\"\nvar l = sync.Mutex{}", []string{"l is a global variable"}},
		"a global counter":           {"internal/room/a.go", "import \"sync/atomic\"\nvar l = &atomic.Int64{}", []string{"l is a global variable"}},
		"a pool":                     {"internal/room/a.go", "import \"sync\"\nvar p = sync.Pool{}", nil},
		"a version in main":          {"cmd/blabber-hive/a.go", "var version = \"dev\"", []string{"version is a global variable"}},
		"a global in a test":         {"internal/room/a_test.go", "var n int", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			files := plant(t, fstest.MapFS{tc.path: {Data: []byte("package planted\n\n" + tc.source + "\n")}})
			expect(t, archtest.CheckSource(files, "internal/run"), tc.want...)
		})
	}

	main := plant(t, fstest.MapFS{"cmd/blabber-hive/main.go": {Data: []byte("package main\n\nvar version = \"dev\"\n")}})
	expect(t, archtest.CheckSource(main, "internal/run"))
}

// Promise: a global that one file declares and another writes to is found.
func TestPlantedGlobalAcrossFiles(t *testing.T) {
	t.Parallel()

	files := plant(t, fstest.MapFS{
		"internal/room/a.go": {Data: []byte("package room\n\nvar m = map[int]int{}\n")},
		"internal/room/b.go": {Data: []byte("package room\n\nfunc f() { m[1] = 1 }\n")},
	})
	expect(t, archtest.CheckSource(files, "internal/run"), "internal/room/a.go:3: m is a global that changes")
}

// Promise: files and packages over their bounds are found; tests have bounds of their own, generated files none.
func TestPlantedSizes(t *testing.T) {
	t.Parallel()

	source := func(lines int) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte("package room\n" + strings.Repeat("\n", lines-2) + "type _ int")}
	}
	files := plant(t, fstest.MapFS{
		"internal/room/long.go":      source(11),
		"internal/room/fits.go":      source(10),
		"internal/room/long_test.go": source(21),
		"internal/room/fits_test.go": source(20),
		"internal/room/made.go":      {Data: []byte("// Code generated by sqlc. DO NOT EDIT.\n\npackage room\n" + strings.Repeat("\n", 99))},
	})
	expect(t, archtest.CheckSizes(files, archtest.Sizes{File: 10, TestFile: 20, Package: 20}),
		"long.go: has 11 lines", "long_test.go: has 21 lines", "internal/room: has 21 lines, a package has at most 20")
}

// Promise: a folder that the map does not name is found, and a row whose folder is gone; ignored folders need no name.
func TestPlantedMap(t *testing.T) {
	t.Parallel()

	tree := fstest.MapFS{
		".gitignore":                    {Data: []byte("/data/\nnode_modules/\n*.out\n")},
		".github/workflows/ci.yaml":     {},
		"data/blabber.db":               {},
		"node_modules/flatted/a.go":     {Data: []byte("package flatted")},
		"tools/go.mod":                  {},
		"tools/a.go":                    {Data: []byte("package tools")},
		"web/testdata/a.go":             {Data: []byte("not Go")},
		"deploy/k8s/a.yaml":             {},
		"internal/chat/a.go":            {Data: []byte("package chat")},
		"internal/adapter/redis/bus.go": {Data: []byte("package redis")},
		"internal/room/a.go":            {Data: []byte("package room")},
		"docs/architecture.md": {Data: []byte("| `internal/` | all |\n| `docs/` |\n| `tools` |\n" +
			"| `internal/chat` |\n| `internal/gone` |\n\nSee `internal/room/` and internal/adapter/redis.\n")},
	}

	problems, err := archtest.CheckMap(tree, plant(t, tree), "docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}

	expect(t, problems, "deploy: is not on the map", "internal/adapter/redis: is not on the map", "web: is not on the map",
		"docs/architecture.md: names internal/gone, which is gone")
}

func plant(t *testing.T, tree fstest.MapFS) []archtest.File {
	t.Helper()

	files, err := archtest.ParseTree(tree)
	if err != nil {
		t.Fatal(err)
	}

	if slices.ContainsFunc(files, func(f archtest.File) bool { return strings.Contains(f.Path, "testdata") }) {
		t.Error("testdata was parsed")
	}

	return files
}
