package api

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// discard is a connection that costs nothing.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

// What the edge costs a send beyond the log, which here settles at once: everything from the request's head to the
// encoded message. Measured beside it, for comparison, the JSON alone: the body decoded and the message encoded.
func BenchmarkSend(b *testing.B) {
	w := setup(b, func(_ *account.Config, options *Options) { options.Log = slog.New(slog.DiscardHandler) })
	c := w.person()
	path := basePath + "/rooms/" + c.must(201, "POST", "/rooms", object{"name": "Fast", "visibility": "public"}).text("id") + "/messages"
	w.log.instant.Store(true)
	body := []byte(`{"id":"` + w.messageID() + `","body":"a message of usual length, as people send them all day long","resend":false}`)
	b.Run("request", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Authorization", "Bearer "+c.token)
				w.server.ServeHTTP(&discard{http.Header{}}, r)
			}
		})
	})
	answered := c.must(201, "POST", path[len(basePath):], body).body
	b.Run("json alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var in sendInput
			var out map[string]any
			if json.Unmarshal(body, &in.Body) != nil || json.Unmarshal(answered, &out) != nil {
				b.Fatal("not JSON")
			}
		}
	})
	b.Run("asking for the configuration", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			w.server.ServeHTTP(&discard{http.Header{}}, httptest.NewRequest(http.MethodGet, basePath+"/config", http.NoBody))
		}
	})
}

// instantly settles a record as the message that it would have become.
func instantly(record *chat.Record, settled func(chat.Receipt, error)) {
	settled(chat.Receipt{Seq: 1, Event: &chat.Event{Room: record.Room, Seq: 1, Kind: record.Kind, Message: &chat.Message{
		ID: record.ID, Room: record.Room, Seq: 1, Sender: record.Actor, Body: record.Body, CreatedAt: record.At,
	}}}, nil)
}
