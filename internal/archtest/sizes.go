package archtest

import (
	"fmt"
	"go/ast"
	"maps"
	"slices"
)

// Sizes are the bounds, in lines, at which code has outgrown its reader.
type Sizes struct {
	File, TestFile int
	Package        int // without its tests
}

// CheckSizes finds files and packages that are longer than that. Generated files do not count.
func CheckSizes(files []File, limit Sizes) []Problem {
	var problems []Problem

	lines := map[string]int{}

	for _, file := range files {
		if ast.IsGenerated(file.AST) {
			continue
		}

		most := limit.File
		if file.IsTest() {
			most = limit.TestFile
		} else {
			lines[file.Folder()] += file.Lines
		}

		if file.Lines > most {
			problems = append(problems, Problem{file.Path, fmt.Sprintf("has %d lines, a file has at most %d: "+
				"one file per noun or verb", file.Lines, most)})
		}
	}

	for _, folder := range slices.Sorted(maps.Keys(lines)) {
		if lines[folder] > limit.Package {
			problems = append(problems, Problem{folder, fmt.Sprintf("has %d lines, a package has at most %d: "+
				"look for the second noun in it", lines[folder], limit.Package)})
		}
	}

	return problems
}
