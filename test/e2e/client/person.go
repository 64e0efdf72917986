package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// answerBytesMax bounds what is read of an answer.
const answerBytesMax = 16 << 20

// callPatience is how long a call may take.
const callPatience = 30 * time.Second

// refreshCookie is where the refresh token lives.
const refreshCookie = "blabber_refresh"

// Problem is a refusal of the HTTP API.
type Problem struct {
	Status     int
	Code       string `json:"code"`
	Detail     string `json:"detail"`
	RetryAfter string
}

func (p *Problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail) }

// Person is somebody with an account who is signed in.
type Person struct {
	Username string
	Password string
	ID       chat.UserID
	Token    string
	// RefreshToken is what the cookie of the sign-in held.
	RefreshToken string

	base string // http://host:port
	http *http.Client
}

// SignUp makes an account at a server (http://host:port) and signs in.
func SignUp(ctx context.Context, base, username, password string) (*Person, error) {
	return enter(ctx, base, "/auth/signup", username, password)
}

// LogIn signs in to an account that is there.
func LogIn(ctx context.Context, base, username, password string) (*Person, error) {
	return enter(ctx, base, "/auth/login", username, password)
}

func enter(ctx context.Context, base, path, username, password string) (*Person, error) {
	p := &Person{Username: username, Password: password, base: base, http: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 4}, Timeout: callPatience,
	}}
	return p, p.signIn(ctx, path, map[string]string{"username": username, "password": password})
}

// signIn makes a call that is answered with a grant, and takes it.
func (p *Person) signIn(ctx context.Context, path string, in any) error {
	var grant struct {
		User struct {
			ID chat.UserID `json:"id"`
		} `json:"user"`
		Token string `json:"access_token"`
	}
	answer, err := p.exchange(ctx, http.MethodPost, path, in, &grant)
	if err != nil {
		return fmt.Errorf("%s as %s: %w", path, p.Username, err)
	}
	p.ID, p.Token = grant.User.ID, grant.Token
	for _, cookie := range answer.cookies {
		if cookie.Name == refreshCookie {
			p.RefreshToken = cookie.Value
		}
	}
	return nil
}

// At is the same sign-in of the person at another address (http://host:port).
func (p *Person) At(base string) *Person {
	there := *p
	there.base = base
	return &there
}

// Refresh spends the refresh token for a new grant, as a person's page does. p keeps what it had.
func (p *Person) Refresh(ctx context.Context) (*Person, error) {
	next := *p
	next.Token = ""
	return &next, next.signIn(ctx, "/auth/refresh", nil)
}

// Close lets go of the person's idle connections.
func (p *Person) Close() { p.http.CloseIdleConnections() }

// Call makes a call below /api/v1 and reads the answer into out, which may be nil. A refusal is a *Problem.
func (p *Person) Call(ctx context.Context, method, path string, in, out any) (status int, err error) {
	answer, err := p.exchange(ctx, method, path, in, out)
	return answer.status, err
}

// answer is what came beside a body.
type answer struct {
	status  int
	cookies []*http.Cookie
}

// exchange is Call with the whole answer.
func (p *Person) exchange(ctx context.Context, method, path string, in, out any) (answer, error) {
	var body io.Reader = http.NoBody
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return answer{}, fmt.Errorf("encode the body of %s: %w", path, err)
		}
		body = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, p.base+"/api/v1"+path, body)
	if err != nil {
		return answer{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if p.Token != "" {
		request.Header.Set("Authorization", "Bearer "+p.Token)
	}
	if p.RefreshToken != "" && strings.HasPrefix(path, "/auth/") {
		request.Header.Set("Cookie", refreshCookie+"="+p.RefreshToken)
	}
	response, err := p.http.Do(request)
	if err != nil {
		return answer{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer response.Body.Close()
	got := answer{response.StatusCode, response.Cookies()}
	text, err := io.ReadAll(io.LimitReader(response.Body, answerBytesMax))
	if err != nil {
		return answer{}, fmt.Errorf("read the answer of %s %s: %w", method, path, err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		problem := &Problem{Status: response.StatusCode, RetryAfter: response.Header.Get("Retry-After")}
		if err := json.Unmarshal(text, problem); err != nil {
			return got, fmt.Errorf("%s %s answered %d and no problem: %w", method, path, response.StatusCode, err)
		}
		return got, fmt.Errorf("%s %s: %w", method, path, problem)
	}
	if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			return got, fmt.Errorf("read the answer of %s %s: %w", method, path, err)
		}
	}
	return got, nil
}

// CodeOf is the code of a refusal, or nothing.
func CodeOf(err error) string {
	if problem, ok := errors.AsType[*Problem](err); ok {
		return problem.Code
	}
	return ""
}

// CreateRoom makes a public room.
func (p *Person) CreateRoom(ctx context.Context, name string) (chat.RoomID, error) {
	var room struct {
		ID chat.RoomID `json:"id"`
	}
	_, err := p.Call(ctx, http.MethodPost, "/rooms", map[string]string{"name": name, "visibility": "public"}, &room)
	return room.ID, err
}

// Join joins a public room.
func (p *Person) Join(ctx context.Context, room chat.RoomID) error {
	_, err := p.Call(ctx, http.MethodPost, "/rooms/"+room.String()+"/join", nil, nil)
	return err
}

// Send sends a message over HTTP.
func (p *Person) Send(ctx context.Context, room chat.RoomID, id chat.MessageID, body string) (Message, error) {
	var sent Message
	_, err := p.Call(ctx, http.MethodPost, "/rooms/"+room.String()+"/messages", map[string]string{"id": id.String(), "body": body}, &sent)
	return sent, err
}

// Page is a run of a room's events.
type Page struct {
	Events  []Event  `json:"events"`
	Through chat.Seq `json:"through"`
	Head    chat.Seq `json:"head"`
	More    bool     `json:"more"`
}

// Changes reads a page of a room's events after a position.
func (p *Person) Changes(ctx context.Context, room chat.RoomID, after chat.Seq) (Page, error) {
	query := url.Values{"after": {strconv.FormatUint(uint64(after), 10)}, "limit": {"1000"}}
	var page Page
	_, err := p.Call(ctx, http.MethodGet, "/rooms/"+room.String()+"/changes?"+query.Encode(), nil, &page)
	return page, err
}

// Event is what happened in a room.
type Event struct {
	RoomID chat.RoomID `json:"room_id"`
	Seq    chat.Seq    `json:"seq"`
	Kind   chat.Kind   `json:"kind"`
	Actor  *struct {
		ID chat.UserID `json:"id"`
	} `json:"actor"`
	Message *Message `json:"message"`
	Member  *struct {
		User struct {
			ID chat.UserID `json:"id"`
		} `json:"user"`
		Change chat.MemberChange `json:"change"`
	} `json:"member"`
}

// Message is a message in its newest state.
type Message struct {
	ID         chat.MessageID `json:"id"`
	Seq        chat.Seq       `json:"seq"`
	ChangedSeq chat.Seq       `json:"changed_seq"`
	Sender     struct {
		ID chat.UserID `json:"id"`
	} `json:"sender"`
	Body      string         `json:"body"`
	ReplyTo   chat.MessageID `json:"reply_to"`
	DeletedAt *time.Time     `json:"deleted_at"`
	Sentiment *struct {
		Label chat.MoodLabel `json:"label"`
		Score float64        `json:"score"`
	} `json:"sentiment"`
}

// NewMessageID makes an id as clients do, a UUIDv7.
func NewMessageID() chat.MessageID { return chat.MessageID(uuid.Must(uuid.NewV7())) }
