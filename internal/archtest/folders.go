package archtest

import (
	"bufio"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// CheckMap finds folders that the map (a Markdown page) does not name, and rows of the map whose folder is gone.
//
// Named must be: every folder with Go code, and every folder at the top except for hidden ones and those that
// .gitignore lists. A row of the map is a table row that starts with a folder in backquotes.
func CheckMap(tree fs.FS, files []File, page string) ([]Problem, error) {
	text, err := fs.ReadFile(tree, page)
	if err != nil {
		return nil, err
	}

	folders, err := topFolders(tree)
	if err != nil {
		return nil, err
	}

	for _, file := range files {
		folders = append(folders, file.Folder())
	}

	slices.Sort(folders)

	var problems []Problem

	named := regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(string(text), -1)
	for _, folder := range slices.Compact(folders) {
		if !slices.ContainsFunc(named, func(match []string) bool { return strings.TrimSuffix(match[1], "/") == folder }) {
			problems = append(problems, Problem{folder, "is not on the map: say in " + page + " what it owns, as `" + folder + "`"})
		}
	}

	for _, row := range regexp.MustCompile("(?m)^\\| *`([^`\n]+)`").FindAllStringSubmatch(string(text), -1) {
		if _, err := fs.Stat(tree, path.Clean(row[1])); err != nil {
			problems = append(problems, Problem{page, "names " + row[1] + ", which is gone"})
		}
	}

	return problems, nil
}

func topFolders(tree fs.FS) ([]string, error) {
	entries, err := fs.ReadDir(tree, ".")
	if err != nil {
		return nil, err
	}

	ignored, err := ignoredFolders(tree)
	if err != nil {
		return nil, err
	}

	var folders []string

	for _, entry := range entries {
		if name := entry.Name(); entry.IsDir() && name[0] != '.' && !slices.Contains(ignored, name) {
			folders = append(folders, name)
		}
	}

	return folders, nil
}

// ignoredFolders are the lines "name/" and "/name/" of .gitignore.
func ignoredFolders(tree fs.FS) ([]string, error) {
	text, err := fs.ReadFile(tree, ".gitignore")
	if err != nil {
		return nil, err
	}

	var names []string

	for lines := bufio.NewScanner(strings.NewReader(string(text))); lines.Scan(); {
		if name, ok := strings.CutSuffix(lines.Text(), "/"); ok {
			names = append(names, strings.TrimPrefix(name, "/"))
		}
	}

	return names, nil
}
