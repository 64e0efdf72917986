package archtest

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"path"
	"slices"
	"strings"
)

// checkGlobals finds package-level variables that are more than a constant which Go cannot call one.
//
// Free are: errors, compiled patterns and templates, tables (a literal that nothing writes to), embedded files, pools,
// and main's version, which the linker sets. Tests may do as they like.
func checkGlobals(files []File) []Problem {
	byFolder := map[string][]File{}

	for _, file := range files {
		if !file.IsTest() {
			byFolder[file.Folder()] = append(byFolder[file.Folder()], file)
		}
	}

	var problems []Problem

	for _, folder := range slices.Sorted(maps.Keys(byFolder)) {
		uses := resolve(byFolder[folder])
		written := writtenGlobals(byFolder[folder], uses)

		for _, file := range byFolder[folder] {
			problems = append(problems, file.checkGlobals(uses, written)...)
		}
	}

	return problems
}

func (f File) checkGlobals(info *types.Info, written map[types.Object]bool) []Problem {
	var problems []Problem

	for _, decl := range f.AST.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.VAR {
			continue
		}

		for _, spec := range group.Specs {
			values, ok := spec.(*ast.ValueSpec)
			if !ok || isEmbedded(group.Doc) || isEmbedded(values.Doc) {
				continue
			}

			for i, name := range values.Names {
				switch {
				case name.Name == "_":
				case written[info.Defs[name]]:
					problems = append(problems, f.at(name, name.Name+" is a global that changes: make it a field of what New returns"))
				case len(values.Values) != len(values.Names) || !f.isFixed(name, values.Values[i]):
					problems = append(problems, f.at(name, name.Name+" is a global variable: make it a constant, a table that nothing "+
						"writes to, or a field of what New returns"))
				}
			}
		}
	}

	return problems
}

// isFixed reports whether the value of a global that nothing writes to is as good as a constant.
func (f File) isFixed(name *ast.Ident, value ast.Expr) bool {
	switch value := value.(type) {
	case *ast.ParenExpr:
		return f.isFixed(name, value.X)
	case *ast.UnaryExpr:
		return value.Op == token.AND && f.isFixed(name, value.X)
	case *ast.BasicLit:
		return f.AST.Name.Name == "main" && name.Name == "version" // set by the linker, which knows variables only
	case *ast.CompositeLit:
		// Of the types of sync and sync/atomic only a pool is free: what it holds nobody can observe.
		selector, ok := value.Type.(*ast.SelectorExpr)
		if !ok {
			return true
		}

		left, ok := selector.X.(*ast.Ident)
		if !ok {
			return true
		}

		from := f.importedAs(left.Name)

		return from != "sync" && from != "sync/atomic" || f.isSelector(selector, "sync", "Pool")
	case *ast.CallExpr:
		return isErrorName(name.Name) || f.isFixedCall(value)
	}

	return false
}

func isErrorName(name string) bool {
	return strings.HasPrefix(name, "Err") || strings.HasPrefix(name, "err")
}

func (f File) isFixedCall(call *ast.CallExpr) bool {
	switch fn := call.Fun.(type) {
	case *ast.ArrayType: // []byte("…")
		return true
	case *ast.Ident:
		return strings.HasPrefix(fn.Name, "Must") || strings.HasPrefix(fn.Name, "must")
	case *ast.SelectorExpr:
		if strings.HasPrefix(fn.Sel.Name, "Must") {
			return true
		}

		for _, free := range [][2]string{
			{"errors", "New"},
			{"fmt", "Errorf"},
			{"strings", "NewReplacer"},
			{"sync", "OnceValue"},
			{"sync", "OnceValues"},
			{"text/template", "Must"},
			{"html/template", "Must"},
			{"time", "Date"},
		} {
			if f.isSelector(fn, free[0], free[1]) {
				return true
			}
		}
	}

	return false
}

// writtenGlobals are the package-level variables that some function assigns to, also in part, or takes the address of.
func writtenGlobals(files []File, info *types.Info) map[types.Object]bool {
	written := map[types.Object]bool{}
	note := func(target ast.Expr) {
		if name := rootOf(target); name != nil {
			written[info.Uses[name]] = true
		}
	}

	for _, file := range files {
		for node := range ast.Preorder(file.AST) {
			switch node := node.(type) {
			case *ast.AssignStmt:
				for _, target := range node.Lhs {
					note(target)
				}
			case *ast.IncDecStmt:
				note(node.X)
			case *ast.RangeStmt:
				note(node.Key)
				note(node.Value)
			case *ast.UnaryExpr:
				if node.Op == token.AND {
					note(node.X)
				}
			case *ast.CallExpr:
				if fn, ok := node.Fun.(*ast.Ident); ok && len(node.Args) > 0 && (fn.Name == "delete" || fn.Name == "clear") {
					note(node.Args[0])
				}
			}
		}
	}

	delete(written, nil)

	return written
}

// rootOf is the variable that x, x.field, x[i], *x and so on are parts of, or nil.
func rootOf(expr ast.Expr) *ast.Ident {
	switch expr := expr.(type) {
	case *ast.Ident:
		return expr
	case *ast.SelectorExpr:
		return rootOf(expr.X)
	case *ast.IndexExpr:
		return rootOf(expr.X)
	case *ast.StarExpr:
		return rootOf(expr.X)
	case *ast.ParenExpr:
		return rootOf(expr.X)
	}

	return nil
}

// resolve finds out which names mean the package's variables and which mean local ones. The imported packages are left
// empty, and what does not type-check without them is ignored: names of the package itself resolve all the same.
func resolve(files []File) *types.Info {
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}

	parsed := make([]*ast.File, len(files))
	for i, file := range files {
		parsed[i] = file.AST
	}

	config := types.Config{Importer: emptyImporter{}, Error: func(error) {}}
	_, _ = config.Check(files[0].Folder(), files[0].fset, parsed, info)

	return info
}

type emptyImporter struct{}

func (emptyImporter) Import(importPath string) (*types.Package, error) {
	empty := types.NewPackage(importPath, path.Base(importPath))
	empty.MarkComplete()

	return empty, nil
}

func isEmbedded(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(line *ast.Comment) bool {
		return strings.HasPrefix(line.Text, "//go:embed ")
	})
}
