package archtest_test

import (
	"os"
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/archtest"
)

// root is the module's folder, seen from this one, where go test runs.
const root = "../.."

func report(t *testing.T, problems []archtest.Problem) {
	t.Helper()

	for _, problem := range problems {
		t.Error(problem)
	}
}

func parse(t *testing.T) []archtest.File {
	t.Helper()

	files, err := archtest.ParseTree(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}

	if len(files) == 0 {
		t.Fatal("no Go file found: the checks would pass on nothing")
	}

	return files
}

// Promise: arrows between packages point down, only app names an adapter, and only an adapter its driver.
func TestImportsPointDown(t *testing.T) {
	t.Parallel()

	layout := archtest.BlabberHive()

	packages, err := archtest.ListPackages(t.Context(), root, layout.Module)
	if err != nil {
		t.Fatal(err)
	}

	report(t, layout.CheckImports(packages))
}

// Promise: every goroutine has an owner, nobody sleeps, nothing happens at init and nothing global changes.
func TestSource(t *testing.T) {
	t.Parallel()
	report(t, archtest.CheckSource(parse(t), "internal/run"))
}

// Promise: files and packages stay small enough to be read at one go.
func TestSizes(t *testing.T) {
	t.Parallel()
	report(t, archtest.CheckSizes(parse(t), archtest.Sizes{File: 600, TestFile: 1000, Package: 2500}))
}

// Promise: docs/architecture.md says of every folder what it owns.
func TestFoldersAreOnTheMap(t *testing.T) {
	t.Parallel()

	problems, err := archtest.CheckMap(os.DirFS(root), parse(t), "docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}

	report(t, problems)
}
