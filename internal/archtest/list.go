package archtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// Package is what the go command knows of a package of the module.
type Package struct {
	Folder  string   // below the module's root, with slashes
	Imports []string // direct ones, without those of tests
	Deps    []string // transitive ones, without those of tests
}

// ListPackages asks the go command for the packages of the module in the folder root.
func ListPackages(ctx context.Context, root, module string) ([]Package, error) {
	// With -e a package that does not build is still listed with what it imports: that is for the compiler to report.
	cmd := exec.CommandContext(ctx, "go", "list", "-e", "-json=ImportPath,Imports,Deps", "./...")
	cmd.Dir = root

	var stderr bytes.Buffer

	cmd.Stderr = &stderr

	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list in %s: %w\n%s", root, err, &stderr)
	}

	var packages []Package

	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath    string
			Imports, Deps []string
		}

		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, fmt.Errorf("read the answer of go list: %w", err)
		}

		folder, ok := strings.CutPrefix(p.ImportPath, module+"/")
		if !ok {
			return nil, fmt.Errorf("go list names %q, want packages below %s only", p.ImportPath, module)
		}

		packages = append(packages, Package{folder, p.Imports, p.Deps})
	}
}
