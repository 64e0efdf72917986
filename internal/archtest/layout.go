package archtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Rank says whom a package may import: those of a lower rank.
type Rank int

// The ranks that are more than a number.
const (
	RankTest    Rank = -1 // imported by tests only, imports what it likes
	RankAdapter Rank = -2 // imports chat, run, obs and its own driver; imported by app only
	RankApp     Rank = 6  // the only one that names an adapter
)

// Layout is the table of the packages and of who may import what.
type Layout struct {
	Module string
	// Ranks by folder; a folder below a listed one belongs to it.
	Ranks map[string]Rank
	// Adapters is the folder whose every folder is an adapter, and what they may import of the module.
	Adapters       string
	AdaptersImport []string
	// Core packages import what is listed, and nothing else at all.
	Core map[string][]string
	// Drivers by import path (with everything below it), and the folders that may import them.
	Drivers map[string][]string
}

// BlabberHive is the layout of this module. docs/architecture.md says the same in words.
func BlabberHive() Layout {
	pure := []string{
		"cmp", "crypto/sha256", "errors", "fmt", "iter", "maps", "slices", "strconv", "strings", "time",
		"unicode", "unicode/utf8",
	}

	return Layout{
		Module: "github.com/blabber-hive/blabber-hive",
		Ranks: map[string]Rank{
			"cmd/blabber-hive":   7,
			"internal/app":       RankApp,
			"internal/gateway":   5,
			"internal/sequencer": 5,
			"internal/api":       5,
			"internal/account":   4,
			"internal/room":      4,
			"internal/message":   4,
			"internal/history":   4,
			"internal/archive":   4,
			"internal/replay":    4,
			"internal/search":    4,
			"internal/upload":    4,
			"internal/mood":      4,
			"internal/match":     4,
			"internal/presence":  4,
			"internal/recent":    4,
			"internal/wire":      3,
			"internal/numbering": 3,
			"internal/feed":      3,
			"internal/chat":      2,
			"internal/run":       1,
			"internal/obs":       1,
			"web":                1,
			"internal/porttest":  RankTest,
			"internal/sim":       RankTest,
			"internal/archtest":  RankTest,
			"test":               RankTest,
		},
		Adapters:       "internal/adapter",
		AdaptersImport: []string{"internal/chat", "internal/run", "internal/obs"},
		Core: map[string][]string{
			"internal/chat":      pure,
			"internal/numbering": append(slices.Clone(pure), "internal/chat"),
			"internal/feed":      append(slices.Clone(pure), "internal/chat"),
		},
		Drivers: map[string][]string{
			"database/sql":                  {"internal/adapter/sqlite", "internal/adapter/postgres"},
			"modernc.org/sqlite":            {"internal/adapter/sqlite"},
			"github.com/ncruces/go-sqlite3": {"internal/adapter/sqlite"},
			"github.com/jackc/pgx":          {"internal/adapter/postgres"},
			"github.com/pressly/goose":      {"internal/adapter/sqlite", "internal/adapter/postgres"},
			"github.com/twmb/franz-go":      {"internal/adapter/kafka"},
			"github.com/redis/rueidis":      {"internal/adapter/redis"},
			"gocloud.dev":                   {"internal/adapter/blob"},
			"github.com/minio/minio-go":     {"internal/adapter/blob"},
			"github.com/jonreiter/govader":  {"internal/adapter/vader"},
			"github.com/sony/gobreaker":     {"internal/adapter/modelserver"},
			"github.com/MicahParks/jwkset":  {"internal/adapter/supabase"},
			"github.com/gin-gonic/gin":      {"internal/api"},
			"github.com/danielgtaylor/huma": {"internal/api"},
		},
	}
}

// CheckImports finds the arrows that do not point down, and packages that the table does not know.
//
// Imports of tests are free: a test may wire what it likes.
func (l Layout) CheckImports(packages []Package) []Problem {
	var problems []Problem

	for _, p := range packages {
		from, rank, known := l.place(p.Folder)
		if !known {
			problems = append(problems, Problem{p.Folder, "is in no table: give it a rank in internal/archtest/layout.go and a " +
				"line in docs/architecture.md, or put its code where the noun already has a package"})

			continue
		}

		if rank == RankTest {
			continue
		}

		for _, path := range p.Imports {
			if what := l.forbids(from, rank, path); what != "" {
				problems = append(problems, Problem{p.Folder, fmt.Sprintf("imports %s: %s", path, what)})
			}
		}

		problems = append(problems, l.checkDrivers(p, from, rank)...)
	}

	return problems
}

// place finds the table's folder that the given one belongs to. Each adapter is a folder of its own.
func (l Layout) place(folder string) (listed string, rank Rank, known bool) {
	if name, ok := strings.CutPrefix(folder, l.Adapters+"/"); ok {
		name, _, _ = strings.Cut(name, "/")
		return l.Adapters + "/" + name, RankAdapter, true
	}

	for up := folder; up != ""; up = up[:max(0, strings.LastIndexByte(up, '/'))] {
		if rank, ok := l.Ranks[up]; ok {
			return up, rank, true
		}
	}

	return "", 0, false
}

// forbids says why the listed folder must not import the path, or "".
func (l Layout) forbids(from string, rank Rank, path string) string {
	folder, ours := strings.CutPrefix(path, l.Module+"/")

	if allowed, core := l.Core[from]; core {
		if !slices.Contains(allowed, folder) {
			return "the core may import only " + strings.Join(allowed, ", ")
		}

		return ""
	}

	if !ours {
		return ""
	}

	to, toRank, known := l.place(folder)

	switch {
	case !known, to == from:
		return ""
	case toRank == RankTest:
		return "only tests may import it"
	case rank == RankAdapter && !slices.Contains(l.AdaptersImport, to):
		return "an adapter may import only " + strings.Join(l.AdaptersImport, ", ") + " and its driver"
	case rank == RankAdapter:
		return ""
	case toRank == RankAdapter && rank != RankApp:
		return "only app names an adapter; declare a port in ports.go"
	case toRank == RankAdapter:
		return ""
	case toRank >= rank:
		return fmt.Sprintf("arrows point down, this one goes from rank %d to rank %d", rank, toRank)
	}

	return ""
}

// checkDrivers goes through the transitive imports: a library that brings a driver along is as bad as the driver. Of the
// standard library only direct imports count, since much of the world names database/sql without using it.
func (l Layout) checkDrivers(p Package, from string, rank Rank) []Problem {
	if rank >= RankApp {
		return nil // they have every adapter below them
	}

	var problems []Problem

	for _, driver := range slices.Sorted(maps.Keys(l.Drivers)) {
		owners := l.Drivers[driver]
		if slices.Contains(owners, from) {
			continue
		}

		paths := p.Deps
		if first, _, _ := strings.Cut(driver, "/"); !strings.Contains(first, ".") {
			paths = p.Imports
		}

		if i := slices.IndexFunc(paths, func(path string) bool {
			return path == driver || strings.HasPrefix(path, driver+"/")
		}); i >= 0 {
			problems = append(problems, Problem{p.Folder, fmt.Sprintf("reaches %s, which belongs to %s alone (go list -deps ./%s "+
				"shows the way)", paths[i], strings.Join(owners, " and "), p.Folder)})
		}
	}

	return problems
}
