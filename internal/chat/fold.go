package chat

import (
	"strings"
	"unicode"
)

// Fold makes texts that differ only in case equal, in every script that has case. Stores compare folded with folded, so
// that all of them find the same: what a database folds by itself differs from one to the next.
func Fold(text string) string { return strings.Map(foldRune, text) }

// foldRune gives the lower case of the first member of r's case orbit: K, k and the Kelvin sign are one letter.
func foldRune(r rune) rune {
	if r < 0x80 {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	first := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		first = min(first, next)
	}
	return unicode.ToLower(first)
}
