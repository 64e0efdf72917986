package api

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// takesBody reports whether a route reads a body.
func takesBody(s *Server, route route) bool {
	var described struct {
		Paths map[string]map[string]struct {
			RequestBody json.RawMessage `json:"requestBody"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(s.OpenAPI(), &described); err != nil {
		panic(err)
	}
	return described.Paths[route.operation.Path][strings.ToLower(route.operation.Method)].RequestBody != nil
}

// badBodies is what no route takes, and the code that each gets everywhere.
var badBodies = map[string]struct {
	body string
	code chat.Code
}{
	"cut off":              {`{"name":"x"`, chat.BadRequest},
	"a list":               {`[]`, chat.BadRequest},
	"a string":             {`"name"`, chat.BadRequest},
	"null":                 {`null`, chat.BadRequest},
	"spaces":               {`  `, chat.BadRequest},
	"two objects":          {`{} {}`, chat.BadRequest},
	"trailing":             {`{}x`, chat.BadRequest},
	"trailing NUL":         {"{}\x00", chat.BadRequest},
	"byte order mark":      {"\ufeff{}", chat.BadRequest},
	"single quotes":        {`{'name':'x'}`, chat.BadRequest},
	"comment":              {`{/**/}`, chat.BadRequest},
	"trailing comma":       {`{"a":1,}`, chat.BadRequest},
	"no name":              {`{1:2}`, chat.BadRequest},
	"repeated name":        {`{"body":"a","body":"b"}`, chat.BadRequest},
	"repeated in capitals": {`{"body":"a","BODY":"b"}`, chat.BadRequest},
	"repeated by escapes":  {`{"body":"a","\u0062ody":"b"}`, chat.BadRequest},
	"repeated deep inside": {`{"x":[{"a":1,"a":2}]}`, chat.BadRequest},
	"invalid UTF-8":        {"{\"body\":\"\xff\"}", chat.BadRequest},
	"overlong UTF-8":       {"{\"body\":\"\xc0\xaf\"}", chat.BadRequest},
	"surrogate in UTF-8":   {"{\"body\":\"\xed\xa0\x80\"}", chat.BadRequest},
	"half a surrogate":     {`{"body":"\ud800"}`, chat.BadRequest},
	"the other half":       {`{"body":"\udc00"}`, chat.BadRequest},
	"wrong pair":           {`{"body":"\ud800\u0041"}`, chat.BadRequest},
	"escaped NUL":          {`{"body":"a\u0000b"}`, chat.BadRequest},
	"raw control":          {"{\"body\":\"a\x01\"}", chat.BadRequest},
	"unknown escape":       {`{"body":"\x41"}`, chat.BadRequest},
	"NaN":                  {`{"seq":NaN}`, chat.BadRequest},
	"hexadecimal":          {`{"seq":0x10}`, chat.BadRequest},
	"leading zero":         {`{"seq":01}`, chat.BadRequest},
	"plus":                 {`{"seq":+1}`, chat.BadRequest},
	"long number":          {`{"seq":` + strings.Repeat("9", 1000) + `}`, chat.BadRequest},
	"beyond all floats":    {`{"seq":1e999}`, chat.BadRequest},
	"deep lists":           {`{"x":` + strings.Repeat("[", 30_000) + strings.Repeat("]", 30_000) + `}`, chat.BadRequest},
	"deep objects":         {strings.Repeat(`{"x":`, 5000) + "1" + strings.Repeat("}", 5000), chat.BadRequest},
	"many names":           {`{` + manyNames(5000) + `}`, chat.BadRequest},
	"too large":            {`{"body":"` + strings.Repeat("x", bodyBytesMax) + `"}`, chat.TooLarge},
}

func manyNames(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf(`"n%d":1`, i)
	}
	return strings.Join(names, ",")
}

// Promise: a body that is not exactly one JSON object, the same to every reader, is refused on every route before
// anything is done.
func TestBadBodies(t *testing.T) {
	t.Parallel()
	w := setup(t)
	people := w.cast()
	f := w.stage(t, people, chat.Public)
	tried := 0
	for _, route := range routes() {
		if !takesBody(w.server, route) {
			continue
		}
		tried++
		t.Run(route.operation.OperationID, func(t *testing.T) {
			t.Parallel()
			c := people["owner"]
			path := f.path(route.operation.Path, "")
			for name, tc := range badBodies {
				if got := c.do(route.operation.Method, path, tc.body); got.code() != tc.code {
					t.Errorf("%s: %s, want %s", name, got, tc.code)
				} else {
					isProblem(t, got)
				}
			}
			for _, contentType := range []string{
				"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml",
				"application/json; charset=utf-16", "application/json+x", "text/json", "application/json;;", "application/vnd.api+json", "json",
			} {
				refused(t, c.with("Content-Type", contentType).do(route.operation.Method, path, `{"name":"x"}`), chat.UnsupportedMedia)
			}
			for _, contentType := range []string{"application/json; charset=UTF-8", "Application/JSON"} {
				if got := c.with("Content-Type", contentType).do(route.operation.Method, path, `{"`); got.code() != chat.BadRequest {
					t.Errorf("%s: %s, want it to be read as JSON", contentType, got)
				}
			}
		})
	}
	if tried < 10 {
		t.Errorf("%d routes take a body, want more", tried)
	}
}

// Promise: what a field cannot be is refused by its name, whatever its JSON type, and is never a 500.
func TestWrongTypes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	people := w.cast()
	values := []string{
		`null`, `true`, `5`, `-5`, `1.5`, `1e3`, `1e300`, `18446744073709551615`, `9007199254740993`, `"x"`, `""`, `"5"`, `[]`, `{}`, `["x"]`, `{"x":1}`,
		`"0000"`, `"` + strings.Repeat("é", 5000) + `"`, `"\u202e"`, `"a\nb"`, `"2026-01-01"`, `"not-a-time"`, `"9999-12-31T23:59:59Z"`, `"0001-01-01T00:00:00Z"`,
	}
	for _, route := range routes() {
		for i, row := range matrix[route.operation.Method+" "+route.operation.Path] {
			if row.body == nil {
				continue
			}
			t.Run(route.operation.OperationID+fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				f := w.stage(t, people, chat.Public)
				for field := range row.body {
					for _, value := range values {
						c := people["owner"]
						if !isOfRoom(route.operation.Path) {
							c = w.person()
						}
						body := f.body(row.body, c).(object)
						body[field] = json.RawMessage(value)
						got := c.do(route.operation.Method, f.path(route.operation.Path, row.target), body)
						if got.status >= 500 {
							t.Errorf("%s = %s: %s", field, value, got)
						}
						if got.status >= 400 {
							isProblem(t, got)
							if strings.Contains(string(got.body), "Go ") || strings.Contains(string(got.body), "json:") || strings.Contains(string(got.body), "strconv") {
								t.Errorf("%s = %s: %s speaks of the inside", field, value, got)
							}
						}
					}
				}
			})
		}
	}
}

// Promise: a query that is broken, or could be read in two ways, is refused, and no number is too large to be.
func TestBadQueries(t *testing.T) {
	t.Parallel()
	w := anywhere(t)
	f := w.stage(t, w.cast(), chat.Public)
	c := f.people["member"]
	room := "/rooms/" + f.room.ID.String()
	for path, code := range map[string]chat.Code{
		"/users?query=%zz":                             chat.BadRequest,
		"/users?query=%ff":                             chat.BadRequest,
		"/users?query=a%00b":                           chat.BadRequest,
		"/users?query=a&query=b":                       chat.BadRequest,
		"/users?query=a;b=c":                           chat.BadRequest,
		"/users?%ff=1":                                 chat.BadRequest,
		"/users?query=" + strings.Repeat("x", 5000):    chat.BadRequest,
		"/users?query=" + strings.Repeat("x", 101):     chat.Invalid,
		"/users?query=a%0Ab":                           chat.Invalid,
		"/users?limit=0":                               chat.Invalid,
		"/users?limit=-1":                              chat.Invalid,
		"/users?limit=x":                               chat.Invalid,
		"/users?limit=1.5":                             chat.Invalid,
		"/users?limit=99999999999999999999":            chat.Invalid,
		"/users?cursor=%F0%9F%91%8D":                   "",
		"/users?cursor=" + strings.Repeat("x", 201):    chat.Invalid,
		"/rooms?cursor=nonsense":                       chat.Invalid,
		room + "/members?cursor=nonsense":              chat.Invalid,
		room + "/messages?before=1&after=1":            chat.Invalid,
		room + "/messages?before=1&after=0":            chat.Invalid,
		room + "/messages?around=-1":                   chat.Invalid,
		room + "/messages?before=18446744073709551615": chat.Invalid,
		room + "/messages?before=99999999999999999999": chat.Invalid,
		room + "/changes?after=9223372036854775808":    chat.Invalid,
		room + "/changes?after=1e3":                    chat.Invalid,
		room + "/changes?limit=":                       "",
		room + "/changes?after=9007199254740991":       "",
		room + "/messages?limit=1000000&after=0":       "",
		room + "/messages?around=9007199254740991":     "",
		"/users?limit=1000000":                         "",
		"/users?unknown=1":                             "",
		"/users?query=%25_%5C'%22--":                   "",
		"/rooms?query=%27%20OR%201%3D1":                "",
	} {
		got := c.do("GET", path, nil)
		if got.code() != code || (code == "" && got.status != 200) {
			t.Errorf("%s = %s, want %q", path, got, code)
		}
		if code != "" {
			isProblem(t, got)
		}
	}
}

// Promise: a body that stops coming is the client's fault, not the server's.
func TestBrokenBody(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, broken := range []io.Reader{iotest.ErrReader(io.ErrUnexpectedEOF), io.MultiReader(strings.NewReader(`{"user`), iotest.ErrReader(io.ErrUnexpectedEOF))} {
		r := httptest.NewRequestWithContext(t.Context(), "POST", basePath+"/auth/login", broken)
		r.Header.Set("Content-Type", "application/json")
		recorder := httptest.NewRecorder()
		w.server.ServeHTTP(recorder, r)
		refused(t, answer{recorder.Code, recorder.Result().Header, recorder.Body.Bytes()}, chat.BadRequest)
	}
}

// Promise: whatever is sent to a route that takes a body, it answers without failing, and refuses in the contract's words.
func FuzzHTTPBody(f *testing.F) {
	w := setup(f)
	people := w.cast()
	var targets []route
	for _, route := range routes() {
		if takesBody(w.server, route) {
			targets = append(targets, route)
		}
	}
	stage := &fixture{w: w, people: people, room: chat.Room{ID: w.newID()}, message: w.messageID()}
	made := people["owner"].must(http.StatusCreated, "POST", "/rooms", object{"name": "Fuzzed", "visibility": "public"})
	id, err := chat.ParseRoomID(made.text("id"))
	if err != nil {
		f.Fatal(err)
	}
	stage.room.ID = id
	for i, route := range targets {
		for _, row := range matrix[route.operation.Method+" "+route.operation.Path] {
			if row.body == nil {
				continue
			}
			body, err := json.Marshal(stage.body(row.body, people["owner"]))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(byte(i), body)
		}
		for _, tc := range badBodies {
			f.Add(byte(i), []byte(tc.body))
		}
	}
	f.Fuzz(func(t *testing.T, which byte, body []byte) {
		w.t = t
		route := targets[int(which)%len(targets)]
		if strings.HasPrefix(route.operation.Path, "/auth/") && len(body) > 2048 {
			t.Skip("hashing is not what is fuzzed")
		}
		owner := *people["owner"]
		got := owner.do(route.operation.Method, stage.path(route.operation.Path, ""), body)
		if got.status >= 500 {
			t.Errorf("%s %s with %q = %s", route.operation.Method, route.operation.Path, body, got)
		}
		if got.status >= 400 {
			isProblem(t, got)
		} else if got.status != http.StatusNoContent && !json.Valid(got.body) {
			t.Errorf("%s %s with %q = %s, want JSON", route.operation.Method, route.operation.Path, body, got)
		}
	})
}
