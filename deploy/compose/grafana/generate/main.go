package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: generate FOLDER")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// write writes all dashboards into a folder.
func write(dir string) error {
	for _, one := range boards() {
		data, err := one.json()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, one.uid+".json"), data, 0o644); err != nil { //nolint:gosec // for Grafana to read, which is another user
			return err
		}
	}
	return nil
}

// boards are the dashboards in the order in which somebody who was called looks at them.
func boards() []board { return []board{chat(), pipeline(), mood(), runtime()} }
