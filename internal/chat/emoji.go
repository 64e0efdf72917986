package chat

import "unicode/utf8"

// The characters that hold emoji sequences together (UTS #51).
const (
	emojiJoiner   = '\u200D'
	emojiVariant  = '\uFE0F'
	emojiKeycap   = '\u20E3'
	emojiTagFirst = '\U000E0020'
	emojiTagLast  = '\U000E007E'
	emojiTagEnd   = '\U000E007F'
)

// CheckEmoji refuses what is not one emoji: a single one, one with a skin tone, a flag, a keycap, or several joined into
// one picture.
func CheckEmoji(emoji string) error {
	if len(emoji) > EmojiBytesMax || !utf8.ValidString(emoji) || !isEmoji([]rune(emoji)) {
		return InvalidField("emoji", "a reaction is one emoji of at most %d bytes", EmojiBytesMax)
	}
	return nil
}

func isEmoji(rest []rune) bool {
	for {
		n := emojiElement(rest)
		if n == 0 {
			return false
		}
		if rest = rest[n:]; len(rest) == 0 {
			return true
		}
		if rest[0] != emojiJoiner {
			return false
		}
		rest = rest[1:]
	}
}

// emojiElement is how many runes the first picture takes that is not itself joined from others; zero where there is none.
func emojiElement(r []rune) int {
	at := func(i int) rune {
		if i < len(r) {
			return r[i]
		}
		return 0
	}
	switch first := at(0); {
	case isRegional(first):
		if isRegional(at(1)) {
			return 2
		}
		return 0
	case first == '#' || first == '*' || (first >= '0' && first <= '9'):
		n := 1
		if at(n) == emojiVariant {
			n++
		}
		if at(n) == emojiKeycap {
			return n + 1
		}
		return 0
	case !isPictograph(first):
		return 0
	}
	switch next := at(1); {
	case next == emojiVariant, next >= 0x1F3FB && next <= 0x1F3FF:
		return 2
	case next >= emojiTagFirst && next <= emojiTagLast:
		n := 2
		for at(n) >= emojiTagFirst && at(n) <= emojiTagLast {
			n++
		}
		if at(n) == emojiTagEnd {
			return n + 1
		}
		return 0
	}
	return 1
}

func isRegional(r rune) bool { return r >= 0x1F1E6 && r <= 0x1F1FF }

// isPictograph reports whether a character is an emoji by itself. Above the first plane whole blocks count, so that the
// emoji of coming years need no new table.
func isPictograph(r rune) bool {
	if r >= 0x1F000 {
		return r <= 0x1FAFF
	}
	for i := 0; i < len(pictographs); i += 2 {
		if r >= pictographs[i] && r <= pictographs[i+1] {
			return true
		}
	}
	return false
}

// pictographs are the emoji of the first plane, as pairs of first and last.
var pictographs = []rune{
	0x00A9, 0x00A9, 0x00AE, 0x00AE, 0x203C, 0x203C, 0x2049, 0x2049, 0x2122, 0x2122, 0x2139, 0x2139, 0x2194, 0x2199,
	0x21A9, 0x21AA, 0x231A, 0x231B, 0x2328, 0x2328, 0x23CF, 0x23CF, 0x23E9, 0x23F3, 0x23F8, 0x23FA, 0x24C2, 0x24C2,
	0x25AA, 0x25AB, 0x25B6, 0x25B6, 0x25C0, 0x25C0, 0x25FB, 0x25FE, 0x2600, 0x2604, 0x260E, 0x260E, 0x2611, 0x2611,
	0x2614, 0x2615, 0x2618, 0x2618, 0x261D, 0x261D, 0x2620, 0x2620, 0x2622, 0x2623, 0x2626, 0x2626, 0x262A, 0x262A,
	0x262E, 0x262F, 0x2638, 0x263A, 0x2640, 0x2640, 0x2642, 0x2642, 0x2648, 0x2653, 0x265F, 0x2660, 0x2663, 0x2663,
	0x2665, 0x2666, 0x2668, 0x2668, 0x267B, 0x267B, 0x267E, 0x267F, 0x2692, 0x2697, 0x2699, 0x2699, 0x269B, 0x269C,
	0x26A0, 0x26A1, 0x26A7, 0x26A7, 0x26AA, 0x26AB, 0x26B0, 0x26B1, 0x26BD, 0x26BE, 0x26C4, 0x26C5, 0x26C8, 0x26C8,
	0x26CE, 0x26CF, 0x26D1, 0x26D1, 0x26D3, 0x26D4, 0x26E9, 0x26EA, 0x26F0, 0x26F5, 0x26F7, 0x26FA, 0x26FD, 0x26FD,
	0x2702, 0x2702, 0x2705, 0x2705, 0x2708, 0x270D, 0x270F, 0x270F, 0x2712, 0x2712, 0x2714, 0x2714, 0x2716, 0x2716,
	0x271D, 0x271D, 0x2721, 0x2721, 0x2728, 0x2728, 0x2733, 0x2734, 0x2744, 0x2744, 0x2747, 0x2747, 0x274C, 0x274C,
	0x274E, 0x274E, 0x2753, 0x2755, 0x2757, 0x2757, 0x2763, 0x2764, 0x2795, 0x2797, 0x27A1, 0x27A1, 0x27B0, 0x27B0,
	0x27BF, 0x27BF, 0x2934, 0x2935, 0x2B05, 0x2B07, 0x2B1B, 0x2B1C, 0x2B50, 0x2B50, 0x2B55, 0x2B55, 0x3030, 0x3030,
	0x303D, 0x303D, 0x3297, 0x3297, 0x3299, 0x3299,
}
