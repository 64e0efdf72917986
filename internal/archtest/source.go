package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// File is a parsed Go file of the module.
type File struct {
	Path  string // below the module's root, with slashes
	Lines int
	AST   *ast.File
	fset  *token.FileSet
}

// ParseTree parses every Go file of a tree, except for those that the go command ignores as well (testdata, folders that
// start with a dot or an underline), node_modules and modules of their own.
func ParseTree(tree fs.FS) ([]File, error) {
	var files []File

	fset := token.NewFileSet()

	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}

		base := path.Base(name)

		if entry.IsDir() {
			switch {
			case name == ".":
				return nil
			case base == "testdata", base == "node_modules", strings.HasPrefix(base, "."), strings.HasPrefix(base, "_"):
				return fs.SkipDir
			}

			if _, err := fs.Stat(tree, path.Join(name, "go.mod")); err == nil {
				return fs.SkipDir
			}

			return nil
		}

		if path.Ext(base) != ".go" {
			return nil
		}

		source, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}

		file, err := parser.ParseFile(fset, name, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}

		files = append(files, File{name, fset.File(file.FileStart).LineCount(), file, fset})

		return nil
	})

	return files, err
}

// Folder is the file's folder below the module's root.
func (f File) Folder() string { return path.Dir(f.Path) }

// IsTest reports whether the file is a test, or of a conformance suite: those are tests that several packages run, which
// Go can share only in files without the suffix.
func (f File) IsTest() bool {
	return strings.HasSuffix(f.Path, "_test.go") || strings.HasPrefix(f.Path, "internal/porttest/")
}

func (f File) at(node ast.Node, what string) Problem {
	return Problem{f.Path + ":" + strconv.Itoa(f.fset.Position(node.Pos()).Line), what}
}

// CheckSource finds goroutines that nobody owns, sleeps, init functions and globals that change.
func CheckSource(files []File, goroutineOwner string) []Problem {
	var problems []Problem

	for _, file := range files {
		problems = append(problems, file.checkSleep()...)
		problems = append(problems, file.checkInit()...)

		if !file.IsTest() && file.Folder() != goroutineOwner {
			problems = append(problems, file.checkGoroutines(goroutineOwner)...)
		}
	}

	return append(problems, checkGlobals(files)...)
}

// checkGoroutines finds the go statement and the ways around it.
func (f File) checkGoroutines(owner string) []Problem {
	var problems []Problem

	for _, spec := range f.AST.Imports {
		if importPath(spec) == "golang.org/x/sync/errgroup" {
			problems = append(problems, f.at(spec, "use run.Group, which names its members and survives their panics"))
		}
	}

	for node := range ast.Preorder(f.AST) {
		switch node := node.(type) {
		case *ast.GoStmt:
			problems = append(problems, f.at(node, "only "+owner+" may say go: start it with run.Group, which waits for it"))
		case *ast.SelectorExpr:
			if f.isSelector(node, "sync", "WaitGroup") {
				problems = append(problems, f.at(node, "use run.Group: a WaitGroup loses errors and panics"))
			}
		}
	}

	return problems
}

func (f File) checkSleep() []Problem {
	var problems []Problem

	for node := range ast.Preorder(f.AST) {
		if selector, ok := node.(*ast.SelectorExpr); ok && f.isSelector(selector, "time", "Sleep") {
			problems = append(problems, f.at(node, "nobody sleeps: use run.Pause, which ends with its context; in tests "+
				"testing/synctest or a signal"))
		}
	}

	return problems
}

func (f File) checkInit() []Problem {
	var problems []Problem

	for _, decl := range f.AST.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			problems = append(problems, f.at(fn, "init runs before anyone can configure, test or stop it: make it a function that app calls"))
		}
	}

	return problems
}

// isSelector reports whether the expression is the named member of an imported package, whatever name it is imported by.
func (f File) isSelector(selector *ast.SelectorExpr, imported, member string) bool {
	left, ok := selector.X.(*ast.Ident)
	return ok && selector.Sel.Name == member && f.importedAs(left.Name) == imported
}

// importedAs is the path that the file imports under that name, or "".
func (f File) importedAs(name string) string {
	for _, spec := range f.AST.Imports {
		as := path.Base(importPath(spec))
		if spec.Name != nil {
			as = spec.Name.Name
		}

		if as == name {
			return importPath(spec)
		}
	}

	return ""
}

func importPath(spec *ast.ImportSpec) string {
	unquoted, _ := strconv.Unquote(spec.Path.Value) // the parser has seen that it can be
	return unquoted
}
