package supabase

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// How often the sign-in service is asked for its keys.
const (
	RefreshEvery = 5 * time.Minute  // unasked; so late a key that was withdrawn is noticed
	RetryEvery   = 15 * time.Second // unasked, after it could not be reached
	// AskEvery is for a key that is not known; in between, what was last heard counts. A client whose token was refused tries
	// another one 1.2 s later (web/src/sync/session.ts), so nobody is signed out by a key that has rotated since the last asking.
	AskEvery = time.Second
)

const (
	keysPath     = "/auth/v1/.well-known/jwks.json"
	keysPatience = 5 * time.Second
	keysBytesMax = 64 << 10
	keysMax      = 32 // a service has two or three: the one it signs with, the next, and the last
	kidBytesMax  = 128
	rsaBitsMin   = 2048
	rsaBitsMax   = 8192
)

// errNoKey says that the service has no key of that name.
var errNoKey = errors.New("the sign-in service has no such key")

// publicKey is a key and the one algorithm that it is good for.
type publicKey struct {
	algorithm string
	key       any // as golang-jwt takes it
}

// keyring holds the service's public keys by name.
type keyring struct {
	url    string
	apiKey string
	client *http.Client
	clock  func() time.Time
	log    *slog.Logger
	wanted chan struct{} // somebody waits for a key that is not here

	mu      sync.Mutex
	keys    map[string]publicKey
	heardAt time.Time     // when the last asking ended; zero before the first
	failure error         // of the last asking
	round   chan struct{} // closed when the next asking has ended
}

func newKeyring(options Options) *keyring {
	return &keyring{
		url: options.URL + keysPath, apiKey: options.AnonKey, clock: options.Clock, log: options.Log,
		client: &http.Client{
			Transport:     options.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		wanted: make(chan struct{}, 1), round: make(chan struct{}),
	}
}

// run asks at once, and then in time or when a key is wanted, until ctx ends. There is no other asker, so however many
// wait, they wait for one asking.
func (k *keyring) run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		case <-k.wanted:
			if k.recent() {
				continue // who wanted it has been answered by the asking that was under way
			}
		}
		keys, err := k.ask(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		k.hear(ctx, keys, err)
		if err != nil {
			timer.Reset(RetryEvery)
		} else {
			timer.Reset(RefreshEvery)
		}
	}
}

func (k *keyring) recent() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.recentLocked()
}

func (k *keyring) recentLocked() bool {
	return !k.heardAt.IsZero() && k.clock().Sub(k.heardAt) < AskEvery
}

// hear takes note of what an asking gave.
func (k *keyring) hear(ctx context.Context, keys map[string]publicKey, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case err != nil && k.failure == nil:
		k.log.WarnContext(ctx, "the sign-in service does not tell its keys; those that are known keep working", "url", k.url, "known", len(k.keys), "error", err)
	case err == nil && (k.failure != nil || k.heardAt.IsZero() || !sameNames(k.keys, keys)):
		k.log.InfoContext(ctx, "the sign-in service told its keys", "url", k.url, "usable", len(keys))
	}
	if err == nil {
		k.keys = keys
	}
	k.failure, k.heardAt = err, k.clock()
	close(k.round)
	k.round = make(chan struct{})
}

func sameNames(one, other map[string]publicKey) bool {
	for name := range one {
		if _, there := other[name]; !there {
			return false
		}
	}
	return len(one) == len(other)
}

// find gives the key of that name. Where it is not known the service is asked, unless it was just now. errNoKey: it has
// none; chat.Unavailable: that cannot be told.
func (k *keyring) find(ctx context.Context, name string) (publicKey, error) {
	k.mu.Lock()
	key, known := k.keys[name]
	recent, round := k.recentLocked(), k.round
	k.mu.Unlock()
	if known {
		return key, nil
	}
	if !recent {
		select {
		case k.wanted <- struct{}{}:
		default: // somebody else has asked for an asking
		}
		select {
		case <-round:
		case <-ctx.Done():
			return publicKey{}, chat.Away("the sign-in service", ctx.Err())
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	key, known = k.keys[name]
	switch {
	case known:
		return key, nil
	case k.failure != nil:
		return publicKey{}, chat.Away("the sign-in service", k.failure)
	}
	return publicKey{}, errNoKey
}

// ask reads the service's keys.
func (k *keyring) ask(ctx context.Context) (map[string]publicKey, error) {
	ctx, cancel := context.WithTimeout(ctx, keysPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return nil, fmt.Errorf("ask for the keys: %w", err)
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("apikey", k.apiKey) // a project's gateway may let nobody through without it
	response, err := k.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask for the keys: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask for the keys: the answer is %s", response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, keysBytesMax+1))
	if err != nil {
		return nil, fmt.Errorf("read the keys: %w", err)
	}
	if len(body) > keysBytesMax {
		return nil, fmt.Errorf("read the keys: the answer has more than %d bytes", keysBytesMax)
	}
	return parseKeys(body)
}

// parseKeys reads a JWK set (RFC 7517). Keys that are not for us, of kinds that came later or not for signing, are left out.
func parseKeys(body []byte) (map[string]publicKey, error) {
	var set jwkset.JWKSMarshal
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("read the keys: %w", err)
	}
	switch {
	case set.Keys == nil:
		return nil, errors.New("read the keys: the answer is not a key set")
	case len(set.Keys) > keysMax:
		return nil, fmt.Errorf("read the keys: there are more than %d", keysMax)
	}
	keys := make(map[string]publicKey, len(set.Keys))
	for _, described := range set.Keys {
		key, ok := parseKey(described)
		if _, twice := keys[described.KID]; ok && !twice {
			keys[described.KID] = key
		}
	}
	return keys, nil
}

// parseKey reads one key. The algorithm follows from the kind of key, and what the key says of it must agree.
func parseKey(described jwkset.JWKMarshal) (publicKey, bool) {
	forSigning := (described.USE == "" || described.USE == jwkset.UseSig) &&
		(len(described.KEYOPS) == 0 || slices.Contains(described.KEYOPS, jwkset.KeyOpsVerify))
	if !forSigning || described.KID == "" || len(described.KID) > kidBytesMax {
		return publicKey{}, false
	}
	// Only the numbers are handed on: certificates and their addresses (x5u) are nothing that anybody here should look at.
	parsed, err := jwkset.NewJWKFromMarshal(
		jwkset.JWKMarshal{KTY: described.KTY, CRV: described.CRV, X: described.X, Y: described.Y, N: described.N, E: described.E},
		jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{},
	)
	if err != nil {
		return publicKey{}, false
	}
	read := publicKey{key: parsed.Key()}
	switch key := read.key.(type) {
	case *ecdsa.PublicKey:
		if _, err := key.ECDH(); err != nil || key.Curve != elliptic.P256() { // ECDH refuses what is no point of the curve
			return publicKey{}, false
		}
		read.algorithm = jwt.SigningMethodES256.Alg()
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < rsaBitsMin || bits > rsaBitsMax {
			return publicKey{}, false
		}
		read.algorithm = jwt.SigningMethodRS256.Alg()
	default:
		return publicKey{}, false
	}
	return read, described.ALG == "" || string(described.ALG) == read.algorithm
}
