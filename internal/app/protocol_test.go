package app_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/app"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// Promise: docs/protocol.md names every route and every field that the server's own description has, every code with its
// status, and no route or code that there is not.
func TestProtocolPage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	code, out, errs := blabberHive(t, "", "openapi")
	if code != app.ExitDone {
		t.Fatalf("openapi: code %d, %q", code, errs)
	}
	var described struct {
		Paths      map[string]map[string]struct{} `json:"paths"`
		Components struct {
			Schemas map[string]struct {
				Properties map[string]json.RawMessage `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal([]byte(out), &described); err != nil {
		t.Fatal(err)
	}

	onPage := make(map[string]bool)
	for _, match := range regexp.MustCompile("(?m)^\\| `([A-Z]+) (/[^`]+)` \\|").FindAllStringSubmatch(page, -1) {
		onPage[match[1]+" "+match[2]] = true
	}
	for path, methods := range described.Paths {
		for method := range methods {
			route := strings.ToUpper(method) + " " + path
			if !onPage[route] {
				t.Errorf("the page does not name %s", route)
			}
			delete(onPage, route)
		}
	}
	for route := range onPage {
		t.Errorf("the page names %s, which there is not", route)
	}

	words := make(map[string]bool)
	for _, word := range regexp.MustCompile(`[a-z][a-z_0-9]*`).FindAllString(page, -1) {
		words[word] = true
	}
	for name, schema := range described.Components.Schemas {
		for _, property := range slices.Sorted(maps.Keys(schema.Properties)) {
			if !words[property] && property != "attachment_ids" { // refused until there are uploads
				t.Errorf("the page does not name %s of %s", property, name)
			}
		}
	}

	codes := make(map[string]string)
	for _, match := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (\\d{3}) \\|").FindAllStringSubmatch(page, -1) {
		codes[match[1]] = match[2]
	}
	for _, code := range []chat.Code{
		chat.BadRequest, chat.Unauthenticated, chat.Forbidden, chat.NotFound, chat.NotMember, chat.Muted, chat.Banned, chat.Conflict,
		chat.UsernameTaken, chat.TooLarge, chat.UnsupportedMedia, chat.Invalid, chat.RateLimited, chat.Internal, chat.Unavailable,
	} {
		if want := wire.StatusOf(code); codes[string(code)] != jsonOf(t, want) {
			t.Errorf("the page has %q for %s, want %d", codes[string(code)], code, want)
		}
		delete(codes, string(code))
	}
	for code := range codes {
		t.Errorf("the page names the code %s, which there is not", code)
	}

	for _, frame := range []string{wire.FrameAuth, wire.FrameSend, wire.FrameTyping, wire.FrameRead, wire.FramePing} {
		if !strings.Contains(page, `{"type":"`+frame+`"`) {
			t.Errorf("the page does not name the frame %s", frame)
		}
	}
}

func jsonOf(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
