package strictjson

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Promise: what everybody reads alike is taken, however it is spaced and escaped.
func TestGood(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{}`, " \t\r\n{ } \n", `{"a":[1,-0,0.5e+3,1E-2,true,false,null,"\ud83d\ude00 \" \\ \/ \b\f\n\r\t é 👩‍💻"],"b":{"c":{}}}`,
		`{"":0}`, `{"a":{"a":{"a":1}}}`, `{"a":1,"b":1}`, `{"x":` + strings.Repeat("[", depthMax-1) + strings.Repeat("]", depthMax-1) + `}`,
	} {
		if err := Check([]byte(body)); err != nil {
			t.Errorf("Check(%q) = %v", body, err)
		}
	}
}

// Promise: what two readers could read in two ways is refused, and in words that say why.
func TestBad(t *testing.T) {
	t.Parallel()
	for body, word := range map[string]string{
		"": "object", "[]": "object", "{": "well-formed", "{} {}": "after", "{}x": "after", `{"a":1,"a":2}`: "more than once", `{"a":1,"A":2}`: "more than once",
		`{"a":1,"\u0061":2}`: "more than once", "{\"a\":\"\xff\"}": "UTF-8", `{"a":"\ud800"}`: "surrogate", `{"a":"\ud800\n"}`: "surrogate", `{"a":"\udc00"}`: "surrogate",
		`{"a":"\u0000"}`: "NUL", "{\"a\":\"\x01\"}": "well-formed", `{"a":01}`: "well-formed", `{"a":1.}`: "well-formed", `{"a":.5}`: "well-formed", `{"a":1e}`: "well-formed",
		`{"a":-}`: "well-formed", `{"a":tru}`: "well-formed", `{"a" 1}`: "well-formed", `{"a":1,}`: "well-formed", `{"a":[1,]}`: "well-formed", `{"a":"\u00g0"}`: "well-formed",
		`{"a":"\u00`: "well-formed", `{"a":"\`: "well-formed", `{"a":` + strings.Repeat("9", numberBytesMax+1) + `}`: "too long",
		`{"a":` + strings.Repeat("[", 100_000): "deeply",
	} {
		err := Check([]byte(body))
		if chat.CodeOf(err) != chat.BadRequest || !strings.Contains(err.Error(), word) {
			t.Errorf("Check(%.40q) = %v, want bad_request about %q", body, err, word)
		}
	}
}

// Promise: nothing is taken that encoding/json does not take.
func FuzzCheck(f *testing.F) {
	for _, body := range []string{`{}`, `{"a":[1,-0.5e+3,true,null,"\ud83d\ude00"],"b":{"c":{}}}`, `{"a":1,"a":2}`, "{\"a\":\"\xff\"}", `{"a":1e999}`, `[`, `{"a":"\ud800"}`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		err := Check(body)
		if err == nil && (!json.Valid(body) || !utf8.Valid(body) || bytes.TrimLeft(body, " \t\r\n")[0] != '{') {
			t.Errorf("Check(%q) is fine", body)
		}
		if err != nil && chat.CodeOf(err) != chat.BadRequest {
			t.Errorf("Check(%q) = %v, want bad_request", body, err)
		}
	})
}

// Promise: an answer is written whole or not at all, and a reader that has gone is no failure.
func TestWrite(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := Write(&out, map[string]string{"a": "<&>"}); err != nil || out.String() != "{\"a\":\"<&>\"}\n" {
		t.Errorf("Write = %v, %q", err, out.String())
	}
	out.Reset()
	if err := Write(&out, []any{"begun", func() {}}); err == nil || out.Len() != 0 {
		t.Errorf("Write of what is no JSON = %v, %q; want an error and nothing", err, out.String())
	}
	reader, writer := io.Pipe()
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Write(writer, "x"); err != nil {
		t.Errorf("Write to nobody = %v", err)
	}
}

// What a message's body costs to check.
func BenchmarkCheck(b *testing.B) {
	body := []byte(`{"id":"01a20a7a-866e-7ccf-9293-e7a117d46e13","body":"` + strings.Repeat("hello ", 40) + `","reply_to":null}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Check(body); err != nil {
			b.Fatal(err)
		}
	}
}
