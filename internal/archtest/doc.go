// Package archtest holds the code to the layout that docs/architecture.md draws. It is run as a test and imported by
// nobody.
//
// What it owns: the table of ranks ([Layout]), and the checks that a compiler does not make: arrows point down
// ([Layout.CheckImports]); goroutines have an owner, nobody sleeps, nothing happens at init and nothing global changes
// ([CheckSource]); no file or package outgrows its reader ([CheckSizes]); every folder is on the map ([CheckMap]).
//
// Each check returns [Problem] values that say what to do, and each is shown in planted_test.go to find what it is for:
// a check that cannot fail protects nothing.
package archtest

import "fmt"

// Problem is one breach of the layout.
type Problem struct {
	Where string // package, file:line or folder
	What  string // a sentence that says how to mend it
}

// String is the line that a failing test prints.
func (p Problem) String() string { return fmt.Sprintf("%s: %s", p.Where, p.What) }
