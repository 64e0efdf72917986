package storetest

import (
	"fmt"
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

func testOutbox(t *testing.T, fresh Fresh) {
	each(t, fresh, map[string]func(t *testing.T, i *Instance){
		"entries wait in order until they are done, over restarts": outboxOrder,
	})
}

func outboxOrder(t *testing.T, i *Instance) {
	mina := i.AddUser(t, "mina")
	r := i.AddRoom(t, chat.Public, mina)
	var want []chat.OutboxEntry
	emit := func(n int) {
		i.update(t, r, func(tx chat.RoomTx) error {
			for k := range n {
				entry := chat.OutboxEntry{ID: i.MessageID(), Room: r.ID, Payload: fmt.Appendf(nil, "payload %d of %d\x00", k, n)}
				if err := tx.Emit(entry); err != nil {
					return err
				}
				want = append(want, entry)
			}
			return nil
		})
	}
	read := func(after int64, limit int) []chat.OutboxEntry {
		entries, err := i.Store.Outbox(t.Context(), after, limit)
		if err != nil {
			t.Fatal(err)
		}
		return entries
	}
	emit(1)
	emit(3)
	emit(2)
	got := read(0, 100)
	last := int64(0)
	for n := range got {
		if got[n].Position <= last {
			t.Errorf("position %d after %d", got[n].Position, last)
		}
		last, want[n].Position = got[n].Position, got[n].Position
	}
	if d := diff(want, got); d != "" {
		t.Fatalf("Outbox (-want +got)\n%s", d)
	}
	if d := diff(want[2:4], read(want[1].Position, 2)); d != "" {
		t.Errorf("Outbox after the second (-want +got)\n%s", d)
	}
	for _, done := range [][]int64{{want[1].Position, want[5].Position}, {want[1].Position, 999_999}, {}} {
		if err := i.Store.OutboxDone(t.Context(), done); err != nil {
			t.Fatal(err)
		}
	}
	i.Restart()
	want = append(append(want[:1:1], want[2:5]...), chat.OutboxEntry{})[:4]
	if d := diff(want, read(0, 100)); d != "" {
		t.Errorf("Outbox after the restart (-want +got)\n%s", d)
	}
	// The relay goes on from the highest position that it has seen: a new entry must come after it.
	emit(1)
	if got := read(last, 100); len(got) != 1 {
		t.Errorf("%d entries after position %d, want the new one", len(got), last)
	}
	i.DeleteRoom(t, r)
	if got := read(0, 100); len(got) != 5 {
		t.Errorf("%d entries after the room was deleted, want 5: members are still to be told", len(got))
	}
}
