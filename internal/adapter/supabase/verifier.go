package supabase

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/obs"
)

// Name tells the accounts of this sign-in service from all others.
const Name = "supabase"

const (
	tokenBytesMax = 8 << 10          // one with much about its person has some 2 KiB
	leeway        = 10 * time.Second // how far the service's clock and ours may be apart
)

// Options is what an operator says of the project. All but JWTSecret and Transport must be given.
type Options struct {
	URL       string     // of the project, without a path
	AnonKey   string     // the project's public key, sent when asking for its keys
	JWTSecret obs.Secret // the project's shared secret, where it signs with HS256; then HS256 is believed
	Audience  string     // the aud of its tokens
	Issuer    string     // the iss of its tokens

	Transport http.RoundTripper // how the service is reached; nil is the usual way
	Clock     func() time.Time
	Log       *slog.Logger
}

// Verifier judges tokens. Its methods may be called concurrently; Run must run for keys to be known.
type Verifier struct {
	secret []byte // nil: HS256 is not believed
	keys   *keyring
	parser *jwt.Parser
}

// New makes a verifier. It does no I/O.
func New(options Options) *Verifier {
	v := &Verifier{keys: newKeyring(options)}
	methods := []string{jwt.SigningMethodES256.Alg(), jwt.SigningMethodRS256.Alg()} // never what the token itself says
	if !options.JWTSecret.IsZero() {
		v.secret = []byte(options.JWTSecret.Reveal())
		methods = append(methods, jwt.SigningMethodHS256.Alg())
	}
	v.parser = jwt.NewParser(
		jwt.WithValidMethods(methods),
		jwt.WithIssuer(options.Issuer),
		jwt.WithAudience(options.Audience),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(), // not from the future
		jwt.WithLeeway(leeway),
		jwt.WithTimeFunc(options.Clock),
		jwt.WithStrictDecoding(),
	)
	return v
}

// Run keeps the keys fresh until ctx ends.
func (v *Verifier) Run(ctx context.Context) error { return v.keys.run(ctx) }

// Name is Name.
func (*Verifier) Name() string { return Name }

// claims are those of GoTrue, Supabase's sign-in service. What stands in Metadata people may write themselves, so nothing
// is believed about its form.
type claims struct {
	jwt.RegisteredClaims
	Session   string         `json:"session_id"`
	Email     string         `json:"email"`
	Anonymous bool           `json:"is_anonymous"`
	Metadata  map[string]any `json:"user_metadata"`
}

// Verify answers what a good token says. It refuses with chat.Unauthenticated what is not one, and with chat.Unavailable
// what cannot be judged while the service cannot be reached.
func (v *Verifier) Verify(ctx context.Context, token string) (chat.Claims, error) {
	if token == "" || len(token) > tokenBytesMax {
		return chat.Claims{}, refuse("sign in first", nil)
	}
	var read claims
	_, err := v.parser.ParseWithClaims(token, &read, func(parsed *jwt.Token) (any, error) { return v.keyOf(ctx, parsed) })
	switch {
	case err == nil:
		return read.check()
	case chat.CodeOf(err) == chat.Unavailable:
		return chat.Claims{}, fmt.Errorf("find the key of a token: %w", err)
	case errors.Is(err, jwt.ErrTokenExpired):
		return chat.Claims{}, refuse("this token has expired; refresh it or sign in again", err)
	}
	return chat.Claims{}, badToken(err)
}

func refuse(detail string, cause error) error {
	return &chat.Error{Code: chat.Unauthenticated, Detail: detail, Err: cause}
}

func badToken(cause error) error { return refuse("this token is not good; sign in again", cause) }

// keyOf finds the key that a token must be signed with, whose algorithm must be the token's. The parser has let through
// only the algorithms that are believed.
func (v *Verifier) keyOf(ctx context.Context, token *jwt.Token) (any, error) {
	if _, there := token.Header["crit"]; there {
		return nil, errors.New("the token asks for something that is not understood here") // RFC 7515, section 4.1.11
	}
	if token.Method == jwt.SigningMethodHS256 {
		return v.secret, nil
	}
	name, _ := token.Header["kid"].(string)
	if name == "" || len(name) > kidBytesMax {
		return nil, errNoKey
	}
	key, err := v.keys.find(ctx, name)
	if err != nil {
		return nil, err
	}
	if key.algorithm != token.Method.Alg() {
		return nil, fmt.Errorf("the token is signed by %s, and its key is for %s", token.Method.Alg(), key.algorithm)
	}
	return key.key, nil
}

// check reads whom the claims are about.
func (c claims) check() (chat.Claims, error) {
	user, err := chat.ParseUserID(c.Subject)
	switch {
	case err != nil:
		return chat.Claims{}, badToken(err)
	case user.IsZero():
		return chat.Claims{}, badToken(errors.New("its subject is nobody"))
	case c.Anonymous:
		return chat.Claims{}, refuse("sign in with an account; this token is of somebody without one", nil)
	}
	session, err := chat.ParseSessionID(c.Session)
	if err != nil || session.IsZero() {
		session = chat.SessionID(user) // older services name none: then all devices of a person are one
	}
	return chat.Claims{
		User: user, Session: session, ExpiresAt: c.ExpiresAt.Time, Email: c.Email,
		Username:    c.text("username", "preferred_username", "user_name"),
		DisplayName: c.text("display_name", "full_name", "name"),
	}, nil
}

// text is the first of the metadata's values that is one.
func (c claims) text(names ...string) string {
	for _, name := range names {
		if text, _ := c.Metadata[name].(string); text != "" {
			return text
		}
	}
	return ""
}
