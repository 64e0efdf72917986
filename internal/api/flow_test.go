package api

import (
	"net/http"
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Promise (PROTOCOL §1, §2): a room begins with its creation and its maker's joining; what is said in it gets the next
// numbers; who joins later reads all of it, and the read line tells what is unread.
func TestConversation(t *testing.T) {
	t.Parallel()
	w := anywhere(t)
	ada, bob := w.person(), w.person()

	made := ada.must(201, "POST", "/rooms", object{"name": " Lounge ", "topic": "All things", "visibility": "public"})
	id := made.text("id")
	if made.text("name") != "Lounge" || made.text("role") != "owner" || made.number("members") != 1 || made.number("head") != 2 {
		t.Fatalf("new room = %s, want Lounge with its owner and head 2", made)
	}
	changes := ada.must(200, "GET", "/rooms/"+id+"/changes", nil)
	if changes.text("events", "0", "kind") != "room" || changes.text("events", "0", "change") != "created" ||
		changes.text("events", "1", "kind") != "member" || changes.text("events", "1", "member", "change") != "joined" {
		t.Errorf("a new room's log = %s, want its creation and then its maker's joining", changes)
	}

	joined := bob.must(200, "POST", "/rooms/"+id+"/join", nil)
	if joined.number("head") != 3 || joined.number("unread") != 0 || joined.text("role") != "member" {
		t.Errorf("joined = %s, want head 3 and nothing unread", joined)
	}
	again := bob.must(200, "POST", "/rooms/"+id+"/join", nil)
	if again.number("head") != 3 || again.number("members") != 2 {
		t.Errorf("joined again = %s, want no further event", again)
	}

	messageID := w.messageID()
	send := object{"id": messageID, "body": "hello @" + bob.name + ", " + "안녕 👋"}
	sent := ada.must(201, "POST", "/rooms/"+id+"/messages", send)
	if sent.text("id") != messageID || sent.number("seq") != 4 || sent.text("sender", "username") != ada.name {
		t.Errorf("sent = %s, want number 4", sent)
	}
	repeat := ada.must(200, "POST", "/rooms/"+id+"/messages", send)
	if string(repeat.body) != string(sent.body) {
		t.Errorf("sent again = %s, want %s", repeat, sent)
	}

	rooms := bob.must(200, "GET", "/me/rooms", nil)
	if rooms.number("rooms", "0", "unread") != 1 || rooms.number("rooms", "0", "mentions") != 1 ||
		rooms.text("rooms", "0", "last_message", "id") != messageID {
		t.Errorf("rooms = %s, want one unread message that mentions the reader", rooms)
	}
	if own := ada.must(200, "GET", "/me/rooms", nil); own.number("rooms", "0", "unread") != 0 {
		t.Errorf("rooms of the sender = %s, want nothing unread", own)
	}

	read := bob.must(200, "PUT", "/rooms/"+id+"/read", object{"seq": 4000})
	if read.number("read_seq") != 4 || read.number("unread") != 0 {
		t.Errorf("read = %s, want the head, which is 4", read)
	}
	if back := bob.must(200, "PUT", "/rooms/"+id+"/read", object{"seq": 1}); back.number("read_seq") != 4 {
		t.Errorf("read backwards = %s, want the line where it was", back)
	}
	if unread := bob.must(200, "PUT", "/rooms/"+id+"/read", object{"unread_from": 4}); unread.number("unread_from") != 4 || unread.number("unread") != 1 {
		t.Errorf("marked unread = %s, want one unread from 4", unread)
	}
	if signals := w.heard(chat.SignalRead); w.here() && (len(signals) != 3 || signals[2].User != bob.id || signals[2].Read.UnreadFrom != 4) {
		t.Errorf("signals of reading = %+v, want one for each mark", signals)
	}

	path := "/rooms/" + id + "/messages/" + messageID
	bob.must(204, "PUT", path+"/reactions/%F0%9F%91%8D", nil)
	edited := ada.must(200, "PATCH", path, object{"body": "hello all"})
	if edited.text("body") != "hello all" || edited.number("changed_seq") != 6 || edited.text("edited_at") == "" ||
		edited.number("reactions", "0", "count") != 1 || edited.at("reactions", "0", "me") != false {
		t.Errorf("edited = %s, want the new body, one reaction, changed by 6", edited)
	}
	seen := bob.must(200, "GET", "/rooms/"+id+"/messages", nil)
	if len(seen.list("messages")) != 1 || seen.at("messages", "0", "reactions", "0", "me") != true || seen.number("head") != 6 {
		t.Errorf("messages = %s, want one with the reader's own reaction", seen)
	}
	bob.must(204, "DELETE", path+"/reactions/%F0%9F%91%8D", nil)
	ada.must(204, "DELETE", path, nil)
	gone := bob.must(200, "GET", "/rooms/"+id+"/messages", nil)
	if gone.text("messages", "0", "body") != "" || gone.text("messages", "0", "deleted_at") == "" {
		t.Errorf("deleted = %s, want an empty message that keeps its place", gone)
	}
	all := bob.must(200, "GET", "/rooms/"+id+"/changes?after=3&limit=3", nil)
	if len(all.list("events")) != 3 || all.at("more") != true || all.number("head") != 8 || all.number("through") != 6 {
		t.Errorf("changes = %s, want three of five events", all)
	}

	bob.must(204, "PUT", "/rooms/"+id+"/notify", object{"notify": "mentions"})
	if room := bob.must(200, "GET", "/rooms/"+id, nil); room.text("notify") != "mentions" {
		t.Errorf("room = %s, want notify mentions", room)
	}
	bob.must(204, "POST", "/rooms/"+id+"/leave", nil)
	bob.must(204, "POST", "/rooms/"+id+"/leave", nil)
	if room := bob.must(200, "GET", "/rooms/"+id, nil); room.at("role") != nil || room.number("members") != 1 {
		t.Errorf("room from outside = %s, want no role and one member", room)
	}
	refused(t, bob.do("GET", "/rooms/"+id+"/messages", nil), chat.NotMember)

	ada.must(204, "POST", "/rooms/"+id+"/leave", nil)
	if got := ada.do("GET", "/rooms/"+id, nil); got.status != http.StatusNotFound {
		t.Errorf("room that its last member left = %s, want 404", got)
	}
	if signals := w.heard(chat.SignalRoomDeleted); w.here() && len(signals) != 1 {
		t.Errorf("signals of deletion = %+v, want one", signals)
	}
}
