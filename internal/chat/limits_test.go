package chat_test

import (
	"strings"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Promise (contract): a reaction is one emoji of at most 32 bytes, and nothing else.
func TestCheckEmoji(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		emoji string
		ok    bool
	}{
		"a face":                            {"😀", true},
		"a heart":                           {"❤️", true},
		"a heart without its variant":       {"❤", true},
		"a letter that is an emoji":         {"ℹ️", true},
		"a trade mark":                      {"™️", true},
		"an arrow":                          {"↔️", true},
		"a circled m":                       {"Ⓜ️", true},
		"a secret":                          {"㊙️", true},
		"a wavy dash":                       {"〰️", true},
		"a skin tone":                       {"👍🏽", true},
		"a skin tone alone":                 {"🏽", true},
		"a flag":                            {"🇰🇷", true},
		"half a flag":                       {"🇰", false},
		"two flags":                         {"🇰🇷🇩🇪", false},
		"a flag of a part of a country":     {"🏴󠁧󠁢󠁥󠁮󠁧󠁿", true},
		"such a flag without its end":       {"🏴\U000E0067\U000E0062", false},
		"a keycap":                          {"#️⃣", true},
		"a keycap without variant":          {"7⃣", true},
		"a digit":                           {"7", false},
		"a digit with a variant":            {"7\uFE0F", false},
		"a family":                          {"👨‍👩‍👧‍👦", true},
		"a rainbow flag":                    {"🏳️‍🌈", true},
		"a technician":                      {"👩🏿‍💻", true},
		"mended heart":                      {"❤️‍🩹", true},
		"an eye in a bubble":                {"👁️‍🗨️", true},
		"a new one":                         {"🫩", true},
		"a joiner at the end":               {"👍\u200D", false},
		"a joiner at the beginning":         {"\u200D👍", false},
		"a variant alone":                   {"\uFE0F", false},
		"a keycap's cap alone":              {"⃣", false},
		"two faces":                         {"😀😀", false},
		"nothing":                           {"", false},
		"a space":                           {" ", false},
		"a face and a space":                {"😀 ", false},
		"a letter":                          {"a", false},
		"a word":                            {"thumbs", false},
		"a name with colons":                {":+1:", false},
		"a plus":                            {"+", false},
		"a less-than":                       {"<", false},
		"a degree":                          {"°", false},
		"a letter of the second plane":      {"𠀀", false},
		"private use":                       {"\U000F0000", false},
		"a tag alone":                       {"\U000E0067", false},
		"a right-to-left override":          {"\u202E😀", false},
		"not UTF-8":                         {"\xF0\x9F", false},
		"a control character":               {"😀\x00", false},
		"the longest joined, over 32 bytes": {"👨🏻‍❤️‍💋‍👨🏻", false},
		"a hundred of them":                 {strings.Repeat("😀", 100), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := chat.CheckEmoji(tc.emoji); (err == nil) != tc.ok {
				t.Errorf("CheckEmoji(%q) = %v", tc.emoji, err)
			} else if err != nil && chat.CodeOf(err) != chat.Invalid {
				t.Errorf("it is refused with %s", chat.CodeOf(err))
			}
		})
	}
}

// Promise (contract): a username is 2 to 32 of a-z 0-9 _ . -, begins with a letter or digit, and case does not count.
func TestCheckUsername(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		username, want string
	}{
		"lower case":                   {"ada", "ada"},
		"upper case is folded":         {"Ada.Lovelace", "ada.lovelace"},
		"digits first":                 {"2pac", "2pac"},
		"the shortest":                 {"ab", "ab"},
		"one letter":                   {"a", ""},
		"the longest":                  {strings.Repeat("x", 32), strings.Repeat("x", 32)},
		"one more":                     {strings.Repeat("x", 33), ""},
		"an underline first":           {"_ada", ""},
		"a dot first":                  {".ada", ""},
		"a dash inside":                {"a-b", "a-b"},
		"a space":                      {"a b", ""},
		"an at":                        {"a@b", ""},
		"an umlaut":                    {"zoë", ""},
		"a Cyrillic a":                 {"\u0430da", ""},
		"a Kelvin sign is a k":         {"\u212Aim", "kim"},
		"a dotted capital i is an i":   {"\u0130da", "ida"},
		"full width":                   {"ａｄａ", ""},
		"not UTF-8":                    {"a\xffb", ""},
		"a control character":          {"ada\n", ""},
		"a zero-width joiner":          {"a\u200Dda", ""},
		"nothing":                      {"", ""},
		"Korean, for which names are":  {"김치", ""},
		"a number sign as in channels": {"a#b", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := chat.CheckUsername(tc.username)
			if got != tc.want || (err == nil) != (tc.want != "") {
				t.Errorf("CheckUsername(%q) = %q, %v, want %q", tc.username, got, err, tc.want)
			}
		})
	}
}

// Promise (contract): texts are bounded in runes, are UTF-8, and have no control characters beyond those of lines.
func TestChecksOfText(t *testing.T) {
	t.Parallel()
	body, line := chat.CheckBody, chat.CheckRoomName
	display := chat.CheckDisplayName
	topic := func(s string) error { return chat.CheckLine("topic", s, chat.TopicRunesMax) }
	password := func(s string) error { return chat.CheckPassword("password", s) }
	for name, tc := range map[string]struct {
		check func(string) error
		text  string
		ok    bool
	}{
		"a body":                               {body, "hi", true},
		"a body of several lines":              {body, "one\ntwo\r\n\tthree", true},
		"an empty body":                        {body, "", false},
		"a body of nothing but space":          {body, " \n\t\u00a0\u3000", false},
		"a body of 4,000 runes":                {body, strings.Repeat("한", 4000), true},
		"a body of 4,001 runes":                {body, strings.Repeat("한", 4001), false},
		"a body that is not UTF-8":             {body, "a\xff", false},
		"a body with half a character":         {body, "한"[:2], false},
		"a body with a zero byte":              {body, "a\x00b", false},
		"a body with an escape":                {body, "\x1b[31mred", false},
		"a body with a C1 control":             {body, "a\u0085b", false},
		"a body right to left":                 {body, "שלום", true},
		"a body with joined emoji":             {body, "👨‍👩‍👧‍👦", true},
		"a room name":                          {line, "General", true},
		"a room name of 80 runes":              {line, strings.Repeat("é", 80), true},
		"a room name of 81 runes":              {line, strings.Repeat("é", 81), false},
		"a room name of two lines":             {line, "a\nb", false},
		"a room name with a tab":               {line, "a\tb", false},
		"an empty room name":                   {line, "", false},
		"a room name of spaces":                {line, "   ", false},
		"a display name of 64 runes":           {display, strings.Repeat("가", 64), true},
		"a display name of 65 runes":           {display, strings.Repeat("가", 65), false},
		"an empty display name":                {display, " ", false},
		"an empty topic":                       {topic, "", true},
		"a topic of 250 runes":                 {topic, strings.Repeat("x", 250), true},
		"a topic of 251 runes":                 {topic, strings.Repeat("x", 251), false},
		"a password of 8":                      {password, "12345678", true},
		"a password of 7":                      {password, "1234567", false},
		"a password of 7 characters, 21 bytes": {password, strings.Repeat("한", 7), false},
		"a password of 256":                    {password, strings.Repeat("x", 256), true},
		"a password of 257":                    {password, strings.Repeat("x", 257), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tc.check(tc.text)
			if (err == nil) != tc.ok {
				t.Errorf("got %v", err)
			}
			if err != nil && chat.CodeOf(err) != chat.Invalid {
				t.Errorf("it is refused with %s, want %s", chat.CodeOf(err), chat.Invalid)
			}
		})
	}
}

// Promise (contract, roles): who may do what, in one table.
func TestPermissions(t *testing.T) {
	t.Parallel()
	const none = chat.Role("")
	for name, tc := range map[string]struct {
		act                             chat.Action
		owner, moderator, plain, nobody bool
	}{
		"talk":                 {chat.ActTalk, true, true, true, false},
		"invite":               {chat.ActInvite, true, true, true, false},
		"change the room":      {chat.ActChangeRoom, true, true, false, false},
		"delete others' words": {chat.ActDeleteOthers, true, true, false, false},
		"mute":                 {chat.ActMute, true, true, false, false},
		"kick and ban":         {chat.ActKick, true, true, false, false},
		"see all invites":      {chat.ActSeeAllInvites, true, true, false, false},
		"set roles":            {chat.ActSetRole, true, false, false, false},
		"open or close it":     {chat.ActSetVisibility, true, false, false, false},
		"delete the room":      {chat.ActDeleteRoom, true, false, false, false},
		"what does not exist":  {chat.Action(200), false, false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for role, want := range map[chat.Role]bool{chat.Owner: tc.owner, chat.Moderator: tc.moderator, chat.Plain: tc.plain, none: tc.nobody, "king": false} {
				if got := role.May(tc.act); got != want {
					t.Errorf("%q may: %t, want %t", role, got, want)
				}
			}
		})
	}
	ranks := []chat.Role{none, chat.Plain, chat.Moderator, chat.Owner}
	for i, one := range ranks {
		for j, other := range ranks {
			if got := one.Outranks(other); got != (i > j) {
				t.Errorf("%q outranks %q: %t", one, other, got)
			}
		}
	}
}

// Promise (PROTOCOL §2): what a person may do in a room follows from the room, the membership, bans and mutes; a private
// room answers outsiders like one that does not exist.
func TestAccess(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	member := &chat.Member{Role: chat.Plain}
	muted := &chat.Member{Role: chat.Plain, MutedUntil: now.Add(time.Second)}
	unmuted := &chat.Member{Role: chat.Plain, MutedUntil: now}
	moderator := &chat.Member{Role: chat.Moderator}
	const yes = chat.Code("")
	public, private, direct := chat.Room{Visibility: chat.Public}, chat.Room{Visibility: chat.Private}, chat.Room{Visibility: chat.Direct}
	for name, tc := range map[string]struct {
		access                      chat.Access
		see, join, read, talk, kick chat.Code
	}{
		"a stranger at a public room":        {chat.Access{Room: public}, yes, yes, chat.NotMember, chat.NotMember, chat.NotMember},
		"a stranger at a private room":       {chat.Access{Room: private}, chat.NotFound, chat.NotFound, chat.NotFound, chat.NotFound, chat.NotFound},
		"a stranger at a conversation":       {chat.Access{Room: direct}, chat.NotFound, chat.NotFound, chat.NotFound, chat.NotFound, chat.NotFound},
		"someone banned from a public room":  {chat.Access{Room: public, Banned: true}, yes, chat.Banned, chat.Banned, chat.Banned, chat.Banned},
		"someone banned from a private room": {chat.Access{Room: private, Banned: true}, chat.NotFound, chat.NotFound, chat.NotFound, chat.NotFound, chat.NotFound},
		"a member":                           {chat.Access{Room: private, Member: member}, yes, yes, yes, yes, chat.Forbidden},
		"a muted member":                     {chat.Access{Room: public, Member: muted}, yes, yes, yes, chat.Muted, chat.Forbidden},
		"a member whose mute has ended":      {chat.Access{Room: public, Member: unmuted}, yes, yes, yes, yes, chat.Forbidden},
		"a moderator":                        {chat.Access{Room: public, Member: moderator}, yes, yes, yes, yes, yes},
		"a member who is banned meanwhile":   {chat.Access{Room: public, Member: moderator, Banned: true}, yes, chat.Banned, chat.Banned, chat.Banned, chat.Banned},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for what, got := range map[string]struct {
				err  error
				want chat.Code
			}{
				"see": {tc.access.See(), tc.see}, "join": {tc.access.Join(), tc.join}, "read": {tc.access.Read(), tc.read},
				"talk": {tc.access.Talk(now), tc.talk}, "kick": {tc.access.Do(chat.ActKick), tc.kick},
			} {
				if (got.err == nil) != (got.want == yes) || (got.err != nil && chat.CodeOf(got.err) != got.want) {
					t.Errorf("%s: %v, want %q", what, got.err, got.want)
				}
			}
		})
	}
}
