package supabase_test

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/blabber-hive/blabber-hive/internal/adapter/supabase"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/obs"
	"github.com/blabber-hive/blabber-hive/internal/porttest/issuertest"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

const (
	mina   = "3f1c8f6e-9a52-4a7e-8f57-0b8f2c1d4e5f"
	secret = "a secret of the project, forty bytes long"
)

// world is a verifier and the service that it believes, in a bubble where time passes when everyone waits.
type world struct {
	*supabase.Verifier
	issuer *issuertest.Service
}

func bubble(t *testing.T, jwtSecret string, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{issuer: issuertest.New(t, time.Now)}
		w.issuer.NewES256("es")
		w.Verifier = w.verifier(jwtSecret)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = w.Run(ctx) })
		defer running.Wait()
		defer cancel()
		synctest.Wait() // the keys are here
		test(t, w)
	})
}

func (w *world) verifier(jwtSecret string) *supabase.Verifier {
	return supabase.New(supabase.Options{
		URL: issuertest.URL, AnonKey: "anon", JWTSecret: obs.NewSecret(jwtSecret), Audience: issuertest.Audience, Issuer: issuertest.Issuer,
		Transport: w.issuer, Clock: time.Now, Log: slog.New(slog.DiscardHandler),
	})
}

// with are the claims of a good token but for these.
func (w *world) with(changed jwt.MapClaims) jwt.MapClaims {
	claims := w.issuer.Claims(mina)
	maps.Copy(claims, changed)
	return claims
}

// pass lets time pass.
func pass(t *testing.T, d time.Duration) {
	t.Helper()
	if err := run.Pause(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, err error, want chat.Code) {
	t.Helper()
	if chat.CodeOf(err) != want {
		t.Errorf("Verify = %v, want %s", err, want)
	}
}

// Promise: a token that the service signed is believed, by each algorithm that it may sign with, and says who it is.
func TestGoodTokens(t *testing.T) {
	t.Parallel()
	bubble(t, secret, func(t *testing.T, w *world) {
		w.issuer.NewRS256("rs")
		claims := w.with(jwt.MapClaims{
			"email":         "mina@example.com",
			"user_metadata": map[string]any{"username": "mina", "full_name": "Mina Kim", "name": 5},
		})
		pass(t, supabase.RefreshEvery)
		claims["exp"] = time.Now().Add(time.Hour).Unix()
		for name, token := range map[string]string{
			"ES256": w.issuer.Sign("es", claims),
			"RS256": w.issuer.Sign("rs", claims),
			"HS256": issuertest.SignWith(t, jwt.SigningMethodHS256, []byte(secret), nil, claims),
		} {
			got, err := w.Verify(t.Context(), token)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			want := chat.Claims{
				Username: "mina", DisplayName: "Mina Kim", Email: "mina@example.com",
				ExpiresAt: got.ExpiresAt, User: got.User, Session: got.Session,
			}
			if got != want || got.User.String() != mina || got.Session.String() != claims["session_id"] || time.Until(got.ExpiresAt) != time.Hour {
				t.Errorf("%s: %+v", name, got)
			}
		}
		claims["session_id"] = "none"
		if got, err := w.Verify(t.Context(), w.issuer.Sign("es", claims)); err != nil || got.Session.String() != mina {
			t.Errorf("without a session: %+v, %v; want the person's id in its place", got, err)
		}
	})
}

// Promise (FIGURES §4, 10): what the service did not sign, or not for us, is nobody's token: unauthenticated, never
// another answer, and no address that it names is ever asked.
func TestBadTokens(t *testing.T) {
	t.Parallel()
	bubble(t, secret, func(t *testing.T, w *world) {
		w.issuer.NewRS256("rs")
		w.issuer.NewES256("withdrawn")
		w.issuer.Withdraw("withdrawn")
		pass(t, supabase.RefreshEvery)
		good := w.with(nil)
		now := time.Now()
		public := w.issuer.Key("rs").Public().(*rsa.PublicKey)
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			t.Fatal(err)
		}
		publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		sign := func(change jwt.MapClaims) string { return w.issuer.Sign("es", w.with(change)) }
		named := func(kid any) string {
			return issuertest.SignWith(t, jwt.SigningMethodES256, w.issuer.Key("es"), map[string]any{"kid": kid}, good)
		}
		headed := func(header map[string]any) string {
			all := map[string]any{"kid": "es"}
			maps.Copy(all, header)
			return issuertest.SignWith(t, jwt.SigningMethodES256, w.issuer.Key("es"), all, good)
		}
		ours := sign(nil)
		parts := strings.Split(ours, ".")
		other := strings.Split(sign(jwt.MapClaims{"sub": "00000000-0000-4000-8000-000000000001"}), ".")
		none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`))
		for name, token := range map[string]string{
			"nothing":                             "",
			"no token":                            "hello",
			"too long":                            sign(jwt.MapClaims{"user_metadata": map[string]any{"x": strings.Repeat("x", 8<<10)}}),
			"alg none":                            none + "." + parts[1] + ".",
			"alg none, with a signature":          none + "." + parts[1] + "." + parts[2],
			"another's claims":                    parts[0] + "." + other[1] + "." + parts[2],
			"no signature":                        parts[0] + "." + parts[1] + ".",
			"HS256 by the RS256 key, as PEM":      issuertest.SignWith(t, jwt.SigningMethodHS256, publicPEM, map[string]any{"kid": "rs"}, good),
			"HS256 by the RS256 key, as DER":      issuertest.SignWith(t, jwt.SigningMethodHS256, der, map[string]any{"kid": "rs"}, good),
			"HS256 by the RS256 key's modulus":    issuertest.SignWith(t, jwt.SigningMethodHS256, public.N.Bytes(), map[string]any{"kid": "rs"}, good),
			"HS256 by another secret":             issuertest.SignWith(t, jwt.SigningMethodHS256, []byte(secret+"!"), nil, good),
			"HS256 by nothing":                    issuertest.SignWith(t, jwt.SigningMethodHS256, []byte{}, nil, good),
			"HS512 by the secret":                 issuertest.SignWith(t, jwt.SigningMethodHS512, []byte(secret), nil, good),
			"PS256 by the RS256 key":              issuertest.SignWith(t, jwt.SigningMethodPS256, w.issuer.Key("rs"), map[string]any{"kid": "rs"}, good),
			"RS256 by a key for ES256":            issuertest.SignWith(t, jwt.SigningMethodRS256, w.issuer.Key("rs"), map[string]any{"kid": "es"}, good),
			"ES256 by a key for RS256":            issuertest.SignWith(t, jwt.SigningMethodES256, w.issuer.Key("es"), map[string]any{"kid": "rs"}, good),
			"a key that is not told":              w.issuer.Sign("withdrawn", good),
			"no kid":                              issuertest.SignWith(t, jwt.SigningMethodES256, w.issuer.Key("es"), nil, good),
			"kid empty":                           named(""),
			"kid a path":                          named("../../../../dev/null"),
			"kid a file":                          named("/etc/passwd"),
			"kid a URL":                           named("https://evil.example/jwks.json"),
			"kid a query":                         named("es' OR '1'='1"),
			"kid a number":                        named(7),
			"kid a list":                          named([]string{"es"}),
			"kid without an end":                  named(strings.Repeat("k", 4<<10)),
			"jku, of a key that is not told":      issuertest.SignWith(t, jwt.SigningMethodES256, w.issuer.Key("withdrawn"), map[string]any{"kid": "x", "jku": issuertest.URL + "/evil"}, good),
			"jwk, its own":                        issuertest.SignWith(t, jwt.SigningMethodES256, w.issuer.Key("withdrawn"), map[string]any{"jwk": map[string]any{"kty": "EC"}}, good),
			"crit":                                headed(map[string]any{"crit": []string{"b64"}, "b64": false}),
			"another issuer":                      sign(jwt.MapClaims{"iss": "https://other.supabase.test/auth/v1"}),
			"another issuer, that begins alike":   sign(jwt.MapClaims{"iss": issuertest.Issuer + ".evil.example"}),
			"no issuer":                           sign(jwt.MapClaims{"iss": nil}),
			"another audience":                    sign(jwt.MapClaims{"aud": "anon"}),
			"no audience":                         sign(jwt.MapClaims{"aud": nil}),
			"audiences without ours":              sign(jwt.MapClaims{"aud": []string{"a", "b"}}),
			"expired":                             sign(jwt.MapClaims{"exp": now.Add(-time.Minute).Unix()}),
			"without an end":                      sign(jwt.MapClaims{"exp": nil}),
			"an end that is text":                 sign(jwt.MapClaims{"exp": "tomorrow"}),
			"not yet good":                        sign(jwt.MapClaims{"nbf": now.Add(time.Minute).Unix()}),
			"issued in the future":                sign(jwt.MapClaims{"iat": now.Add(time.Minute).Unix()}),
			"no subject":                          sign(jwt.MapClaims{"sub": nil}),
			"a subject that is an e-mail address": sign(jwt.MapClaims{"sub": "mina@example.com"}),
			"a subject that is nobody":            sign(jwt.MapClaims{"sub": "00000000-0000-0000-0000-000000000000"}),
			"somebody anonymous":                  sign(jwt.MapClaims{"is_anonymous": true}),
		} {
			if _, err := w.Verify(t.Context(), token); chat.CodeOf(err) != chat.Unauthenticated {
				t.Errorf("%s: %v, want unauthenticated", name, err)
			}
		}
		if _, err := w.Verify(t.Context(), ours); err != nil {
			t.Errorf("the good one: %v", err)
		}
		if _, err := w.Verify(t.Context(), headed(map[string]any{"jku": issuertest.URL + "/evil", "x5u": issuertest.URL + "/evil"})); err != nil {
			t.Errorf("a good one that names addresses: %v", err)
		}
		for name, change := range map[string]jwt.MapClaims{
			"just expired":      {"exp": now.Add(-5 * time.Second).Unix()},
			"issued just ahead": {"iat": now.Add(5 * time.Second).Unix(), "nbf": now.Add(5 * time.Second).Unix()},
			"several audiences": {"aud": []string{"other", issuertest.Audience}},
		} {
			if _, err := w.Verify(t.Context(), sign(change)); err != nil {
				t.Errorf("%s: %v, want it believed", name, err)
			}
		}
		if paths := w.issuer.Paths(); len(paths) != 1 || paths[0] != "/auth/v1/.well-known/jwks.json" {
			t.Errorf("asked for %q, want the keys and nothing else", paths)
		}
	})
}

// Promise: without the shared secret no HS256 is believed, not even one that is signed with nothing.
func TestHS256IsOff(t *testing.T) {
	t.Parallel()
	bubble(t, "", func(t *testing.T, w *world) {
		for _, key := range [][]byte{{}, []byte(secret)} {
			_, err := w.Verify(t.Context(), issuertest.SignWith(t, jwt.SigningMethodHS256, key, map[string]any{"kid": "es"}, w.with(nil)))
			wantCode(t, err, chat.Unauthenticated)
		}
	})
}

// Promise (FIGURES §4, 10): a storm of tokens whose keys nobody knows makes the service be asked once in AskEvery.
func TestUnknownKeyStorm(t *testing.T) {
	t.Parallel()
	bubble(t, "", func(t *testing.T, w *world) {
		pass(t, supabase.AskEvery)
		before := w.issuer.Fetches()
		for round := range 3 {
			var storm sync.WaitGroup
			for i := range 200 {
				token := issuertest.SignWith(t, jwt.SigningMethodES256, w.issuer.Key("es"), map[string]any{"kid": fmt.Sprint(round, "-", i)}, w.with(nil))
				storm.Go(func() {
					_, err := w.Verify(t.Context(), token)
					wantCode(t, err, chat.Unauthenticated)
				})
			}
			storm.Wait()
			if asked := w.issuer.Fetches() - before; asked != round+1 {
				t.Errorf("asked %d times in %d storms, want one each", asked, round+1)
			}
			pass(t, supabase.AskEvery)
		}
		if _, err := w.Verify(t.Context(), w.issuer.Sign("es", w.with(nil))); err != nil {
			t.Errorf("a good token after the storm: %v", err)
		}
	})
}

// Promise: keys rotate without a restart. A new one is good when its first token comes, an old one until the list without
// it was read.
func TestRotation(t *testing.T) {
	t.Parallel()
	bubble(t, "", func(t *testing.T, w *world) {
		pass(t, supabase.AskEvery)
		old := w.issuer.Sign("es", w.with(nil))
		w.issuer.NewES256("next")
		if _, err := w.Verify(t.Context(), w.issuer.Sign("next", w.with(nil))); err != nil {
			t.Errorf("the first token of a new key: %v", err)
		}
		if _, err := w.Verify(t.Context(), old); err != nil {
			t.Errorf("the old key, still told: %v", err)
		}
		w.issuer.NewES256("at once")
		if _, err := w.Verify(t.Context(), w.issuer.Sign("at once", w.with(nil))); err != nil {
			wantCode(t, err, chat.Unauthenticated)
		}
		pass(t, 1200*time.Millisecond) // a client's second attempt
		if _, err := w.Verify(t.Context(), w.issuer.Sign("at once", w.with(nil))); err != nil {
			t.Errorf("a key that came right after the last asking: %v", err)
		}
		w.issuer.Withdraw("es")
		if _, err := w.Verify(t.Context(), old); err != nil {
			t.Errorf("the old key, just withdrawn: %v", err)
		}
		pass(t, supabase.RefreshEvery)
		synctest.Wait()
		_, err := w.Verify(t.Context(), old)
		wantCode(t, err, chat.Unauthenticated)
	})
}

// Promise: while the service cannot be reached the keys that are known keep working, for as long as it takes; a token of
// another key is answered with unavailable, and is believed soon after the service is back.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"an error":      func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) },
		"a redirect":    func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"not a key set": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"message":"hello"}`)) },
		"no JSON":       func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`<html>`)) },
		"without an end": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"keys":[],"x":"` + strings.Repeat("x", 1<<20) + `"}`))
		},
		"too many keys": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"keys":[{}` + strings.Repeat(",{}", 100) + `]}`))
		},
		"silence":         func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"another address": func(w http.ResponseWriter, _ *http.Request) { http.NotFound(w, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, "", func(t *testing.T, w *world) {
				w.issuer.NewES256("next") // told from now on, but nobody listens any more
				w.issuer.Answer(answer)
				pass(t, 20*time.Minute)
				known, unknown := w.issuer.Sign("es", w.with(nil)), w.issuer.Sign("next", w.with(nil))
				before := w.issuer.Fetches()
				for range 50 {
					if _, err := w.Verify(t.Context(), known); err != nil {
						t.Fatalf("a known key: %v", err)
					}
					_, err := w.Verify(t.Context(), unknown)
					wantCode(t, err, chat.Unavailable)
					if refusal, ok := errors.AsType[*chat.Error](err); !ok || refusal.RetryAfter == 0 {
						t.Errorf("%v does not say when to try again", err)
					}
				}
				if asked := w.issuer.Fetches() - before; asked > 1 {
					t.Errorf("asked %d times at once, want one", asked)
				}
				for _, path := range w.issuer.Paths() {
					if path != "/auth/v1/.well-known/jwks.json" {
						t.Errorf("asked for %s", path)
					}
				}
				w.issuer.Answer(nil)
				pass(t, supabase.RetryEvery+5*time.Second)
				if _, err := w.Verify(t.Context(), unknown); err != nil {
					t.Errorf("after its return: %v", err)
				}
			})
		})
	}
}

// Promise: before the service was ever reached nothing is believed and nothing is refused; who does not want to wait need
// not.
func TestNeverReached(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{issuer: issuertest.New(t, time.Now)}
		w.issuer.NewES256("es")
		w.Verifier = w.verifier("")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second) // and nobody runs it
		defer cancel()
		_, err := w.Verify(ctx, w.issuer.Sign("es", w.with(nil)))
		wantCode(t, err, chat.Unavailable)
	})
}

// Promise: of a key set only what signs by our algorithms is used; one odd key spoils none of the others.
func TestOddKeys(t *testing.T) {
	t.Parallel()
	bubble(t, "", func(t *testing.T, w *world) {
		good := strings.TrimSuffix(strings.TrimPrefix(string(w.issuer.KeySet()), `{"keys":[`), `]}`)
		renamed := func(kid string, extra string) string {
			return strings.Replace(strings.Replace(good, `"kid":"es"`, `"kid":"`+kid+`"`, 1), `"kty"`, extra+`"kty"`, 1)
		}
		odd := []string{
			`{"kty":"oct","kid":"oct","k":"` + base64.RawURLEncoding.EncodeToString([]byte(secret)) + `"}`,
			`{"kty":"new","kid":"new"}`, `{}`,
			`{"kty":"EC","kid":"offcurve","crv":"P-256","x":"AQ","y":"AQ"}`,
			`{"kty":"RSA","kid":"short","n":"` + base64.RawURLEncoding.EncodeToString(make([]byte, 64)) + `","e":"AQAB"}`,
			strings.Replace(renamed("enc", ""), `"use":"sig"`, `"use":"enc"`, 1),
			renamed("wrongalg", `"alg":"RS256",`),
			renamed("noverify", `"key_ops":["encrypt"],`),
			renamed("rightalg", `"alg":"ES256","key_ops":["verify"],"x5u":"`+issuertest.URL+`/evil",`),
		}
		w.issuer.Answer(func(rw http.ResponseWriter, _ *http.Request) {
			_, _ = rw.Write([]byte(`{"keys":[` + strings.Join(append(odd, good), ",") + `]}`))
		})
		pass(t, supabase.RefreshEvery)
		synctest.Wait()
		for kid, want := range map[string]bool{
			"es": true, "rightalg": true, "enc": false, "wrongalg": false, "noverify": false, "offcurve": false, "short": false, "new": false,
		} {
			token := issuertest.SignWith(t, jwt.SigningMethodES256, w.issuer.Key("es"), map[string]any{"kid": kid}, w.with(nil))
			if _, err := w.Verify(t.Context(), token); (err == nil) != want {
				t.Errorf("key %s: %v, want it believed: %t", kid, err, want)
			}
		}
		_, err := w.Verify(t.Context(), issuertest.SignWith(t, jwt.SigningMethodHS256, []byte(secret), map[string]any{"kid": "oct"}, w.with(nil)))
		wantCode(t, err, chat.Unauthenticated)
		if paths := w.issuer.Paths(); len(paths) != 1 {
			t.Errorf("asked for %q", paths)
		}
	})
}

// endless is an answer that goes on as long as anybody reads it.
type endless struct{ read atomic.Int64 }

func (e *endless) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Body: io.NopCloser(e)}, nil
}

func (e *endless) Read(p []byte) (int, error) {
	if e.read.Add(int64(len(p))) > 64<<20 {
		return 0, errors.New("enough")
	}
	return len(p), nil
}

// Promise: of an answer without an end no more is read than a key set can have.
func TestAnswerIsBounded(t *testing.T) {
	t.Parallel()
	answer := &endless{}
	verifier := supabase.New(supabase.Options{URL: issuertest.URL, Transport: answer, Clock: time.Now, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = verifier.Run(ctx) })
	defer running.Wait()
	defer cancel()
	issuer := issuertest.New(t, time.Now)
	issuer.NewES256("es")
	_, err := verifier.Verify(t.Context(), issuer.Sign("es", issuer.Claims(mina)))
	wantCode(t, err, chat.Unavailable)
	if read := answer.read.Load(); read > 256<<10 {
		t.Errorf("%d bytes were read", read)
	}
}

// Promise: over a real network redirects are not followed.
func TestRealNetwork(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	issuer := issuertest.New(t, time.Now)
	issuer.NewES256("es")
	issuer.Answer(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusFound)
	})
	server := httptest.NewServer(issuer)
	defer server.Close()
	transport := &http.Transport{DisableKeepAlives: true}
	verifier := supabase.New(supabase.Options{
		URL: server.URL, AnonKey: "anon", Audience: issuertest.Audience, Issuer: issuertest.Issuer, Transport: transport, Clock: time.Now,
		Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = verifier.Run(ctx) })
	defer running.Wait()
	defer cancel()
	_, err := verifier.Verify(t.Context(), issuer.Sign("es", issuer.Claims(mina)))
	wantCode(t, err, chat.Unavailable)
	if elsewhere.Load() != 0 {
		t.Error("a redirect was followed")
	}
}
