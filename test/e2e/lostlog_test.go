package e2e_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/test/e2e/client"
)

// Promise (docs/operations.md, When Kafka's log is lost instead): a database goes on with no log but its own, not even with one that has the
// same name, until an operator says so; then everything stored is there, and what comes has the numbers that follow.
//
//nolint:paralleltest // it needs the machine for itself
func TestLostLog(t *testing.T) {
	s := startSmall(t)
	s.node.start()
	ada, err := client.SignUp(t.Context(), s.node.url(), "ada", secretMark+"-password")
	must(t, err)
	t.Cleanup(ada.Close)
	room, err := ada.CreateRoom(t.Context(), "Tea")
	must(t, err)
	say := func(body string) {
		t.Helper()
		id := client.NewMessageID()
		_, err := ada.Send(t.Context(), room, id, body)
		must(t, err)
		s.stored(id)
	}
	say("before")
	say("the last before")
	head := func() chat.Seq {
		t.Helper()
		page, err := ada.Changes(t.Context(), room, 0)
		must(t, err)
		return page.Head
	}
	before := head()
	if code := s.node.stop(); code != 0 {
		t.Errorf("the server ended with code %d", code)
	}

	refused := func(sentence, command string, flags ...string) {
		t.Helper()
		out, code := s.node.command("", append([]string{command}, flags...)...)
		if code != 1 || !strings.Contains(out, sentence) {
			t.Errorf("%s ended with code %d, want 1 and %q: %s", command, code, sentence, out)
		}
	}
	admin := kadm.NewClient(s.kafka)
	deleted, err := admin.DeleteTopics(t.Context(), logTopic)
	must(t, err)
	must(t, deleted.Error())
	refused("this is not there", "migrate")
	_, err = admin.CreateTopic(t.Context(), 3, 1, map[string]*string{"flush.messages": new("1")}, logTopic)
	must(t, err)
	refused("not the log that the database is stored from", "migrate")
	refused("the log ends at 0", "replay", "--from", "backup")
	ctx, cancel := context.WithTimeout(t.Context(), startPatience)
	defer cancel()
	serve := exec.CommandContext(ctx, binary, "serve", "--addr", s.node.addr, "--admin-addr", s.node.admin)
	serve.Env = s.node.environ()
	if said, err := serve.CombinedOutput(); err == nil || !strings.Contains(string(said), "Kafka has log") {
		t.Errorf("a server on another log ended with %v: %s", err, tail(string(said)))
	}

	if out, code := s.node.command("", "migrate", "--new-log"); code != 0 {
		t.Fatalf("migrate --new-log ended with code %d: %s", code, out)
	}
	// As the Job that restores a backup does, here one of another cluster.
	if out, code := s.node.command("", "replay", "--from", "backup"); code != 0 {
		t.Errorf("a replay of nothing ended with code %d: %s", code, out)
	}
	s.node.start()
	if now := head(); now != before {
		t.Errorf("the head is %d and was %d", now, before)
	}
	say("after")
	if now := head(); now != before+1 {
		t.Errorf("the head is %d after one more message, and was %d", now, before)
	}
	s.node.verify()
	s.migrate() // as before each upgrade
}
