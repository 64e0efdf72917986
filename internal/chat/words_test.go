package chat_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Promise: an id reads back from each of its forms, in either case, and from nothing else.
func TestIDsRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var id chat.MessageID
		copy(id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		for _, form := range []string{id.String(), strings.ToUpper(id.String())} {
			if back, err := chat.ParseMessageID(form); err != nil || back != id {
				t.Fatalf("%q reads back as %v, %v", form, back, err)
			}
		}
		data, err := json.Marshal(map[chat.MessageID]chat.MessageID{id: id})
		if err != nil || string(data) != fmt.Sprintf(`{"%s":"%s"}`, id, id) {
			t.Fatalf("as JSON it is %s, %v", data, err)
		}
		var back map[chat.MessageID]chat.MessageID
		if err := json.Unmarshal(data, &back); err != nil || back[id] != id {
			t.Fatalf("%s reads back as %v, %v", data, back, err)
		}
	})
}

// Promise: what is not a UUID in its 36-character form is refused, and never panics.
func TestIDsRefuseEverythingElse(t *testing.T) {
	t.Parallel()
	const good = "01a2086f-e39b-7d2e-8f43-56bb04359b42"
	for name, text := range map[string]string{
		"nothing": "", "too short": good[1:], "too long": good + "0", "braces": "{" + good + "}", "no dashes": strings.ReplaceAll(good, "-", ""),
		"a dash out of place": "01a2086fe-39b-7d2e-8f43-56bb04359b42", "a letter that is no digit": "g" + good[1:], "a space": " " + good[1:],
		"a two-byte character": "é" + good[2:], "a URN": "urn:uuid:" + good,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if id, err := chat.ParseUserID(text); err == nil || !id.IsZero() {
				t.Errorf("%q is read as %v, %v", text, id, err)
			}
		})
	}
}

// Promise: a UUIDv7 tells when it was made, and no other version does.
func TestIDsTellTheirTime(t *testing.T) {
	t.Parallel()
	seven, err := chat.ParseMessageID("01a2086f-e39b-7d2e-8f43-56bb04359b42")
	if err != nil {
		t.Fatal(err)
	}
	if ms, ok := seven.UnixMilli(); !ok || ms != 0x01a2086fe39b {
		t.Errorf("got %x, %t", ms, ok)
	}
	four, err := chat.ParseMessageID("01a2086f-e39b-4d2e-8f43-56bb04359b42")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := four.UnixMilli(); ok {
		t.Error("a UUIDv4 tells a time")
	}
}

// Promise: a fingerprint is the same for the same message and no other.
func TestFingerprints(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		draw := func(what string) (chat.UserID, string, chat.MessageID) {
			return chat.UserID{rapid.Byte().Draw(t, what+" sender")}, rapid.StringOfN(rapid.RuneFrom([]rune("ab")), 0, 3, -1).Draw(t, what+" body"),
				chat.MessageID{rapid.ByteRange(0, 1).Draw(t, what+" reply")}
		}
		s1, b1, r1 := draw("one")
		s2, b2, r2 := draw("other")
		same := s1 == s2 && b1 == b2 && r1 == r2
		if (chat.FingerprintOf(s1, b1, r1) == chat.FingerprintOf(s2, b2, r2)) != same {
			t.Fatalf("fingerprints of (%v %q %v) and (%v %q %v): equal is %t", s1, b1, r1, s2, b2, r2, !same)
		}
	})
}

// Promise: changing a clone leaves the message alone.
func TestCloneIsDeep(t *testing.T) {
	t.Parallel()
	m := &chat.Message{Mentions: []chat.UserID{{1}}, Reactions: []chat.Reaction{{Emoji: "👍", Users: []chat.UserID{{1}, {2}}}}}
	c := m.Clone()
	c.Mentions[0], c.Reactions[0].Emoji, c.Reactions[0].Users[0] = chat.UserID{9}, "🎉", chat.UserID{9}
	c.Reactions = append(c.Reactions, chat.Reaction{})
	if m.Mentions[0] != (chat.UserID{1}) || !m.Reacted("👍", chat.UserID{1}) || len(m.Reactions) != 1 || m.Reacted("🎉", chat.UserID{1}) {
		t.Errorf("the message is now %+v", m)
	}
}

// Promise: a refusal is found by its code through any wrapping; what is none is internal.
func TestCodes(t *testing.T) {
	t.Parallel()
	cause := errors.New("the disk")
	for name, tc := range map[string]struct {
		err  error
		want chat.Code
	}{
		"a refusal":           {chat.Refuse(chat.Muted, "no"), chat.Muted},
		"a wrapped refusal":   {fmt.Errorf("send: %w", fmt.Errorf("again: %w", chat.ErrNotFound)), chat.NotFound},
		"the outer of two":    {&chat.Error{Code: chat.Unavailable, Err: chat.ErrNotFound}, chat.Unavailable},
		"something else":      {cause, chat.Internal},
		"what the log is for": {chat.ErrLogClosed, chat.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := chat.CodeOf(tc.err); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
	away := chat.Away("the store", cause)
	if !errors.Is(away, cause) || away.RetryAfter <= 0 || strings.Contains(away.Detail, "disk") {
		t.Errorf("an absence is %+v", away)
	}
	if !errors.Is(fmt.Errorf("x: %w", chat.Refuse(chat.NotFound, "no such room")), chat.ErrNotFound) {
		t.Error("refusals are not compared by code")
	}
}

// Promise: an invite is spent by its uses or its time, whichever comes first.
func TestInvitesAreSpent(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		invite chat.Invite
		want   bool
	}{
		"without limits":       {chat.Invite{Uses: 1000}, false},
		"with a use left":      {chat.Invite{MaxUses: 2, Uses: 1}, false},
		"used up":              {chat.Invite{MaxUses: 2, Uses: 2}, true},
		"at its last moment":   {chat.Invite{ExpiresAt: now.Add(1)}, false},
		"when its time is up":  {chat.Invite{ExpiresAt: now}, true},
		"used up before that":  {chat.Invite{ExpiresAt: now.Add(time.Hour), MaxUses: 1, Uses: 1}, true},
		"after it, with a use": {chat.Invite{ExpiresAt: now.Add(-1), MaxUses: 5}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tc.invite.Spent(now); got != tc.want {
				t.Errorf("spent: %t", got)
			}
		})
	}
}

// Promise: exactly the changes that end a membership end it.
func TestChangesThatLeave(t *testing.T) {
	t.Parallel()
	for change, want := range map[chat.MemberChange]bool{
		chat.MemberJoined: false, chat.MemberRole: false, chat.MemberMuted: false, chat.MemberUnmuted: false,
		chat.MemberLeft: true, chat.MemberRemoved: true, chat.MemberBanned: true, "": false,
	} {
		if change.Leaves() != want {
			t.Errorf("%q leaves: %t", change, !want)
		}
	}
}

// Promise: texts that differ only in case fold to the same, and folding again changes nothing.
func TestFold(t *testing.T) {
	t.Parallel()
	for _, tc := range [][2]string{
		{"Straße", "STRAßE"}, {"Ünïcode", "ÜNÏCODE"}, {"ΣΊΣΥΦΟΣ", "σίσυφος"}, {"Kim", "\u212Aim"}, {"ПРИВЕТ", "привет"}, {"한국어", "한국어"}, {"DŽ", "dž"},
	} {
		if chat.Fold(tc[0]) != chat.Fold(tc[1]) {
			t.Errorf("%q folds to %q, %q to %q", tc[0], chat.Fold(tc[0]), tc[1], chat.Fold(tc[1]))
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		folded := chat.Fold(text)
		if chat.Fold(folded) != folded {
			t.Fatalf("%q folds to %q and that to %q", text, folded, chat.Fold(folded))
		}
		if upper := strings.ToUpper(text); len([]rune(upper)) == len([]rune(text)) && strings.EqualFold(upper, text) && chat.Fold(upper) != folded {
			t.Fatalf("%q and its upper case fold differently", text)
		}
	})
}
