package archive_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/blabber-hive/blabber-hive/internal/archive"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rows are a source, and a target that remembers what it was given.
type rows struct {
	rows []chat.Row
	puts int
	done bool
}

func (r *rows) Rows(_ context.Context, visit func(row chat.Row) error) error {
	for _, row := range r.rows {
		if err := visit(row); err != nil {
			return err
		}
	}
	return nil
}

func (r *rows) BeginImport(context.Context, string) (bool, error) { return r.done, nil }

func (r *rows) Put(_ context.Context, rows []chat.Row) error {
	r.rows = append(r.rows, rows...)
	r.puts++
	return nil
}

func (r *rows) EndImport(context.Context, string) error { r.done = true; return nil }

func (r *rows) Audit(context.Context, func(string)) error { return nil }

var (
	room = chat.RoomID{1, 15: 1}
	mina = chat.UserID{2, 15: 1}
	joon = chat.UserID{2, 15: 2}
	at   = time.Date(2026, 3, 1, 12, 0, 0, 123_000_000, time.UTC)
)

func message(seq chat.Seq, body string) chat.Row {
	id := chat.MessageID{3, 14: byte(seq >> 8), 15: byte(seq)}
	actor := chat.Profile{ID: mina}
	return chat.Row{Log: &chat.LogRow{Event: chat.Event{
		Room: room, Seq: seq, Kind: chat.KindMessage, At: at, Actor: actor, RecordID: id,
		Message: &chat.Message{ID: id, Room: room, Seq: seq, Sender: actor, Body: body, CreatedAt: at, Fingerprint: chat.Fingerprint{9, 15: byte(seq)}},
	}}}
}

// sample has every table and every kind.
func sample() []chat.Row {
	changed := message(3, "안녕\n\"quoted\"   👩‍👩‍👧‍👦")
	m := changed.Log.Message
	m.ChangedSeq, m.EditedAt, m.ReplyTo, m.Mentions, m.MentionsAll = 4, at.Add(time.Hour), chat.MessageID{7}, []chat.UserID{joon, mina}, true
	m.Reactions = []chat.Reaction{{Emoji: "👍", Users: []chat.UserID{mina, joon}}, {Emoji: "🐝", Users: []chat.UserID{joon}}}
	deleted := message(6, "")
	deleted.Log.Message.DeletedAt, deleted.Log.Message.ChangedSeq = at, 7
	event := func(seq chat.Seq, kind chat.Kind, target chat.Seq) chat.Row {
		row := message(seq, "")
		row.Log.Kind, row.Log.Message, row.Log.Target = kind, nil, target
		return row
	}
	told, joined, reacted, void := event(1, chat.KindRoom, 0), event(2, chat.KindMember, 0), event(5, chat.KindReaction, 3), event(8, chat.KindVoid, 3)
	told.Log.Info = &chat.RoomDetail{Room: chat.Room{ID: room, Name: "Room", Visibility: chat.Public, CreatedBy: mina, CreatedAt: at}, Change: chat.RoomCreated}
	joined.Log.Member = &chat.MemberDetail{User: chat.Profile{ID: mina}, Role: chat.Owner, JoinedAt: at, Change: chat.MemberJoined}
	reacted.Log.Reaction = &chat.ReactionDetail{Emoji: "👍", Added: true}
	void.Log.RecordID = chat.MessageID{}
	m.ChangedSeq = 5
	return []chat.Row{
		{Account: &chat.Account{User: chat.User{Profile: chat.Profile{ID: mina, Username: "mina", DisplayName: "미나", AvatarURL: "/m"}, Status: "s", Email: "m@x", Admin: true, CreatedAt: at}, PasswordHash: "$argon2id$"}},
		{Account: &chat.Account{User: chat.User{Profile: chat.Profile{ID: joon, Username: "joon"}, Disabled: true, CreatedAt: at}}},
		{Room: &chat.RoomRow{Room: chat.Room{ID: room, Name: "Room", Topic: "t", Visibility: chat.Public, CreatedBy: mina, CreatedAt: at, Head: 8, Members: 2}, LastMessage: 6, LastActivityAt: at}},
		{Member: &chat.Member{Room: room, User: chat.Profile{ID: mina}, Role: chat.Owner, JoinedAt: at, MutedUntil: at, ReadSeq: 8, UnreadFrom: 2, Notify: chat.NotifyNone}},
		{Member: &chat.Member{Room: room, User: chat.Profile{ID: joon}, Role: chat.Plain, JoinedAt: at, Notify: chat.NotifyAll}},
		{Ban: &chat.Ban{Room: room, User: chat.Profile{ID: joon}, Reason: "r", By: mina, At: at}},
		{Invite: &chat.Invite{Code: "code", Room: room, CreatedBy: chat.Profile{ID: mina}, CreatedAt: at, ExpiresAt: at, MaxUses: 3, Uses: 1}},
		told, joined, changed, event(4, chat.KindEdit, 3), reacted, deleted, event(7, chat.KindDelete, 6), void,
		{Outbox: &chat.OutboxEntry{ID: chat.MessageID{5}, Room: room, Payload: []byte("{\"x\":\x00}")}},
	}
}

var origin = archive.Origin{ID: "one", At: at, Version: "v1"}

func ignore(archive.Progress) {}

func export(t testing.TB, all []chat.Row) []byte {
	t.Helper()
	var file bytes.Buffer
	if _, err := archive.Export(t.Context(), &rows{rows: all}, origin, &file, ignore); err != nil {
		t.Fatalf("Export: %v", err)
	}
	return file.Bytes()
}

// Promise: every field of every table comes back, in order.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	target := &rows{}
	manifest, err := archive.Import(t.Context(), target, bytes.NewReader(export(t, sample())), ignore)
	if d := cmp.Diff(sample(), target.rows); err != nil || d != "" || !target.done {
		t.Errorf("Import: %v; diff (-want +got)\n%s", err, d)
	}
	want := map[string]int64{"users": 2, "rooms": 1, "members": 2, "bans": 1, "invites": 1, "log": 8, "outbox": 1}
	if d := cmp.Diff(want, manifest.Rows); d != "" || manifest.Origin != origin {
		t.Errorf("manifest %+v; rows (-want +got)\n%s", manifest, d)
	}
	if _, err := archive.Import(t.Context(), target, bytes.NewReader(export(t, sample())), ignore); err != nil || len(target.rows) != len(sample()) {
		t.Errorf("Import into what is whole = %v, %d rows", err, len(target.rows))
	}
	empty := &rows{}
	if _, err := archive.Import(t.Context(), empty, bytes.NewReader(export(t, nil)), ignore); err != nil || len(empty.rows) != 0 {
		t.Errorf("Import of an empty instance = %v, %d rows", err, len(empty.rows))
	}
}

// Promise: an archive of any size is written and read in parts, each told of.
func TestParts(t *testing.T) {
	t.Parallel()
	all := sample()[:3]
	for seq := range chat.Seq(1100) {
		all = append(all, message(seq+1, strings.Repeat("한글", 2000)))
	}
	var file bytes.Buffer
	var told []archive.Progress
	if _, err := archive.Export(t.Context(), &rows{rows: all}, origin, &file, func(p archive.Progress) { told = append(told, p) }); err != nil {
		t.Fatal(err)
	}
	if last := told[len(told)-1]; len(told) < 6 || last != (archive.Progress{Table: "log", Rows: 1100}) {
		t.Errorf("progress %v, want several parts and 1100 rows of the log", told)
	}
	refused(t, "the end of many parts is missing", file.Bytes()[:file.Len()-4096], "not a whole archive")
	target := &rows{}
	var read []archive.Progress
	if _, err := archive.Import(t.Context(), target, bytes.NewReader(file.Bytes()), func(p archive.Progress) { read = append(read, p) }); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(told, read); d != "" || len(target.rows) != len(all) || target.puts != 2 {
		t.Errorf("%d rows in %d puts; progress (-written +read)\n%s", len(target.rows), target.puts, d)
	}
}

// refused imports what should not be imported.
func refused(t interface {
	Helper()
	Errorf(string, ...any)
}, name string, file []byte, want string,
) {
	t.Helper()
	target := &rows{}
	_, err := archive.Import(context.Background(), target, bytes.NewReader(file), ignore)
	if refusal, ok := errors.AsType[*chat.Error](err); !ok || refusal.Code != chat.Invalid || !strings.Contains(refusal.Detail, want) {
		t.Errorf("%s: Import = %v, want a refusal that says %q", name, err, want)
	}
	if target.puts > 0 || target.done {
		t.Errorf("%s: something of it was imported", name)
	}
}

// Promise: an archive that was cut short anywhere is refused, and nothing of it imported.
func TestTruncated(t *testing.T) {
	t.Parallel()
	file := export(t, sample())
	whole := bytes.LastIndexByte(file, '\n') + 1 // what follows the manifest is empty blocks, which carry nothing
	rapid.Check(t, func(t *rapid.T) {
		cut := rapid.IntRange(0, whole-1).Draw(t, "cut")
		if rapid.Bool().Draw(t, "between blocks") {
			cut -= cut % 512
		}
		refused(t, fmt.Sprint("cut at ", cut), file[:cut], "not a whole archive")
	})
}

// Promise: whatever bit is wrong, the archive is refused, or it was one that carries nothing.
func TestCorrupt(t *testing.T) {
	t.Parallel()
	file := export(t, sample())
	rapid.Check(t, func(t *rapid.T) {
		broken := bytes.Clone(file)
		broken[rapid.IntRange(0, len(file)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		target := &rows{}
		if _, err := archive.Import(context.Background(), target, bytes.NewReader(broken), ignore); err != nil {
			if chat.CodeOf(err) != chat.Invalid || target.puts > 0 {
				t.Fatalf("Import = %v after %d puts, want invalid and nothing imported", err, target.puts)
			}
			return
		}
		if d := cmp.Diff(sample(), target.rows); d != "" {
			t.Fatalf("a wrong bit was imported (-want +got)\n%s", d)
		}
	})
}

// entry is one of an archive's, to be changed.
type entry struct {
	tar.Header
	content []byte
}

func unpack(t *testing.T, file []byte) (entries []entry) {
	t.Helper()
	for r := tar.NewReader(bytes.NewReader(file)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return entries
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, entry{*h, content})
	}
}

func pack(t *testing.T, entries []entry) []byte {
	t.Helper()
	var file bytes.Buffer
	w := tar.NewWriter(&file)
	for _, e := range entries {
		if e.Typeflag == tar.TypeReg {
			e.Size = int64(len(e.content))
		}
		if err := w.WriteHeader(&e.Header); err != nil {
			t.Fatal(err)
		}
		if e.Typeflag == tar.TypeReg {
			if _, err := w.Write(e.content); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// Promise: an archive that somebody has put together otherwise is refused with a sentence that says what is wrong.
func TestForged(t *testing.T) {
	t.Parallel()
	rename := func(to string) func([]entry) []entry {
		return func(e []entry) []entry { e[1].Name = to; return e }
	}
	replace := func(at int, old, with string) func([]entry) []entry {
		return func(e []entry) []entry {
			e[at].content = bytes.Replace(e[at].content, []byte(old), []byte(with), 1)
			return e
		}
	}
	for name, tc := range map[string]struct {
		forge func(e []entry) []entry
		want  string
	}{
		"a path upwards":          {rename("../../etc/passwd"), "not what comes next"},
		"an absolute path":        {rename("/etc/passwd"), "not what comes next"},
		"a path that is cleaned":  {rename("users/../users/00000001.ndjson"), "not what comes next"},
		"an unknown table":        {rename("secrets/00000001.ndjson"), "not what comes next"},
		"a part is missing":       {rename("users/00000002.ndjson"), "not what comes next"},
		"a part twice":            {func(e []entry) []entry { return append(e[:2:2], e[1:]...) }, "not what comes next"},
		"tables in another order": {func(e []entry) []entry { e[1], e[2] = e[2], e[1]; return e }, "not what comes next"},
		"a link": {func(e []entry) []entry {
			e[1].Typeflag, e[1].Linkname, e[1].Size = tar.TypeSymlink, "/etc/passwd", 0
			return e
		}, "not a plain file"},
		"a table is missing":       {func(e []entry) []entry { return append(e[:3:3], e[4:]...) }, "not what its manifest says"},
		"a row is another":         {replace(1, "mina", "nina"), "not what its manifest says"},
		"a row is no JSON":         {replace(1, "{", "["), "line 1 of users/00000001.ndjson"},
		"a line without end":       {func(e []entry) []entry { e[1].content = e[1].content[:len(e[1].content)-1]; return e }, "line 2 of users/00000001.ndjson has no end"},
		"an id is none":            {replace(2, "01000000", "xx000000"), "line 1 of rooms/00000001.ndjson"},
		"a fingerprint is none":    {replace(6, `"fingerprint":"09`, `"fingerprint":"0x`), "is not a fingerprint"},
		"a short fingerprint":      {replace(6, `"fingerprint":"09`, `"fingerprint":"`), "is not a fingerprint"},
		"a message without one":    {replace(6, `"message":{`, `"massage":{`), "has a message"},
		"another archive's end":    {replace(8, `"one"`, `"two"`), "that of another one"},
		"other counts":             {replace(8, `"users": 2`, `"users": 3`), "that of another one"},
		"an end that is no JSON":   {replace(8, "{", ""), "its manifest cannot be read"},
		"no beginning":             {func(e []entry) []entry { return e[1:] }, "does not begin"},
		"another kind of file":     {replace(0, "blabber-hive archive", "holiday pictures"), "does not begin"},
		"a format of the future":   {replace(0, `"format_version": 1`, `"format_version": 2`), "has format 2 and this program reads 1"},
		"a part that is too large": {func(e []entry) []entry { e[1].content = make([]byte, 13<<20); return e }, "which is too much"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused(t, name, pack(t, tc.forge(unpack(t, export(t, sample())))), tc.want)
		})
	}
	refused(t, "no tar file", []byte(strings.Repeat("hello ", 1000)), "not a whole archive")
	refused(t, "nothing", nil, "ends in the middle")
}

// Promise: a source that gives rows out of order is found out, not written.
func TestOutOfOrder(t *testing.T) {
	t.Parallel()
	all := sample()
	all[0], all[2] = all[2], all[0]
	if _, err := archive.Export(t.Context(), &rows{rows: all}, origin, io.Discard, ignore); err == nil || !strings.Contains(err.Error(), "a row of users after one of rooms") {
		t.Errorf("Export = %v", err)
	}
	if _, err := archive.Export(t.Context(), &rows{rows: []chat.Row{{}}}, origin, io.Discard, ignore); err == nil {
		t.Error("a row that is nothing was exported")
	}
}

// Promise: an ended context ends an export.
func TestEndedContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := archive.Export(ctx, &rows{rows: sample()}, origin, io.Discard, ignore); !errors.Is(err, context.Canceled) {
		t.Errorf("Export = %v, want context.Canceled", err)
	}
	if _, err := archive.Verify(ctx, &rows{rows: sample()}, func(string) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("Verify = %v, want context.Canceled", err)
	}
}

// Promise: a sound instance has no findings; what refers to nothing is found whatever the store's own keys say.
func TestVerify(t *testing.T) {
	t.Parallel()
	find := func(all []chat.Row) (findings []string) {
		if _, err := archive.Verify(t.Context(), &rows{rows: all}, func(finding string) { findings = append(findings, finding) }); err != nil {
			t.Fatal(err)
		}
		return findings
	}
	if findings := find(sample()); len(findings) != 0 {
		t.Errorf("findings of a sound instance: %q", findings)
	}
	empty := chat.RoomRow{Room: chat.Room{ID: chat.RoomID{9}, CreatedAt: at, Head: 1}, LastActivityAt: at}
	stray := message(1, "stray")
	stray.Log.Room = chat.RoomID{8}
	for want, change := range map[string]func(all []chat.Row) []chat.Row{
		"has a membership of":                  func(all []chat.Row) []chat.Row { return all[1:] },
		"has a ban of":                         func(all []chat.Row) []chat.Row { return append(all[:1:1], all[2:]...) },
		"which does not exist":                 func(all []chat.Row) []chat.Row { return append(all[:len(all)-1:len(all)-1], stray) },
		"the head is 1 and the last number 0":  func(all []chat.Row) []chat.Row { all[2].Room = &empty; return all[:3] },
		"says that it has 2 members and has 1": func(all []chat.Row) []chat.Row { return append(all[:4:4], all[5:]...) },
	} {
		if findings := find(change(sample())); !strings.Contains(strings.Join(findings, "\n"), want) {
			t.Errorf("findings %q, want one that says %q", findings, want)
		}
	}
}
