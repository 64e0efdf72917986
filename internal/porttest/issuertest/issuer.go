// Package issuertest is a sign-in service of a test's own: it signs tokens as Supabase's does, tells its keys, rotates
// them, and can be away or in the hands of somebody else.
package issuertest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
)

// URL is where the service stands; Issuer and Audience are what its tokens say.
const (
	URL      = "https://project.supabase.test"
	Issuer   = URL + "/auth/v1"
	Audience = "authenticated"
)

// Service is the sign-in service. Its methods may be called concurrently.
type Service struct {
	t     testing.TB
	clock func() time.Time

	mu      sync.Mutex
	keys    map[string]crypto.Signer
	told    []string // names of the keys that it tells
	answer  http.HandlerFunc
	fetches int
	paths   []string
}

// New makes a service without a key.
func New(t testing.TB, clock func() time.Time) *Service {
	return &Service{t: t, clock: clock, keys: make(map[string]crypto.Signer)}
}

// NewES256 makes a key and tells it.
func (i *Service) NewES256(name string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		i.t.Fatal(err)
	}
	i.add(name, key)
}

// NewRS256 makes a key and tells it.
func (i *Service) NewRS256(name string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		i.t.Fatal(err)
	}
	i.add(name, key)
}

func (i *Service) add(name string, key crypto.Signer) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys[name] = key
	i.told = append(i.told, name)
}

// Withdraw tells a key no longer; the service can still sign with it.
func (i *Service) Withdraw(name string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.told = slices.DeleteFunc(i.told, func(told string) bool { return told == name })
}

// Key gives a key, for tokens that the service would never sign.
func (i *Service) Key(name string) crypto.Signer {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.keys[name]
}

// Claims are those of a good token of an hour, about that person.
func (i *Service) Claims(subject string) jwt.MapClaims {
	now := i.clock()
	return jwt.MapClaims{
		"iss": Issuer, "aud": Audience, "sub": subject, "role": "authenticated",
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "email": "mina@example.com",
		"session_id": "5d2f3a52-6b1f-4c7b-9f0a-2f6f6f0e7a11", "user_metadata": map[string]any{},
	}
}

// Sign signs claims with the key of that name.
func (i *Service) Sign(name string, claims jwt.MapClaims) string {
	key := i.Key(name)
	method := jwt.SigningMethod(jwt.SigningMethodES256)
	if _, isRSA := key.(*rsa.PrivateKey); isRSA {
		method = jwt.SigningMethodRS256
	}
	return SignWith(i.t, method, key, map[string]any{"kid": name}, claims)
}

// SignWith signs claims with whatever is given.
func SignWith(t testing.TB, method jwt.SigningMethod, key any, header map[string]any, claims jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	maps.Copy(token.Header, header)
	signed, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// Answer makes the service answer in another way; nil is the right one.
func (i *Service) Answer(answer http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answer = answer
}

// Fetches is how often anything was asked of it.
func (i *Service) Fetches() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.fetches
}

// Paths is what was asked of it.
func (i *Service) Paths() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Compact(slices.Sorted(slices.Values(i.paths)))
}

// ServeHTTP tells the keys.
func (i *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.fetches++
	i.paths = append(i.paths, r.URL.RequestURI())
	answer := i.answer
	i.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(i.KeySet())
}

// KeySet is the keys that it tells, as JSON.
func (i *Service) KeySet() []byte {
	i.mu.Lock()
	defer i.mu.Unlock()
	set := jwkset.JWKSMarshal{Keys: []jwkset.JWKMarshal{}}
	for _, name := range i.told {
		jwk, err := jwkset.NewJWKFromKey(i.keys[name].Public(), jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: name, USE: jwkset.UseSig}})
		if err != nil {
			i.t.Error(err)
			continue
		}
		set.Keys = append(set.Keys, jwk.Marshal())
	}
	text, err := json.Marshal(set)
	if err != nil {
		i.t.Error(err)
	}
	return text
}

// RoundTrip makes the service a transport, without a network: for tests in a bubble of testing/synctest.
func (i *Service) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	i.ServeHTTP(recorder, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return recorder.Result(), nil
}
