package account

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// HashCost is what one password hash costs. It is written into each hash, so that it may change while old hashes stay
// good.
type HashCost struct {
	MemoryKiB uint32
	Passes    uint32
	Lanes     uint8
}

const (
	saltBytes         = 16
	keyBytes          = 32
	hashMemoryKiBMax  = 1 << 20 // a stored hash that asks for more is damaged or planted
	hashPassesMax     = 64
	hashBytesMax      = 512
	hashQueueFullWait = 2 * time.Second
)

var errHash = errors.New("a stored password hash is not argon2id in its PHC form")

func (c HashCost) check() error {
	if c.Passes < 1 || c.Passes > hashPassesMax || c.Lanes < 1 || c.MemoryKiB < 8*uint32(c.Lanes) || c.MemoryKiB > hashMemoryKiBMax {
		return fmt.Errorf("account: argon2id cannot work with %d KiB, %d passes and %d lanes", c.MemoryKiB, c.Passes, c.Lanes)
	}
	return nil
}

// hasher computes password hashes, a bounded number at a time: each takes tens of mebibytes, and a storm of sign-ins
// must end in waiting and then in refusals, never in a process without memory.
type hasher struct {
	cost  HashCost
	rand  io.Reader
	turns chan struct{} // held while hashing
	queue chan struct{} // held while hashing or waiting for a turn
	dummy string        // hash of nothing anybody knows, checked for usernames that do not exist
}

func newHasher(cost HashCost, atOnce, queued int, rand io.Reader) (*hasher, error) {
	h := &hasher{cost: cost, rand: rand, turns: make(chan struct{}, atOnce), queue: make(chan struct{}, atOnce+queued)}
	random := make([]byte, saltBytes+keyBytes)
	if _, err := io.ReadFull(rand, random); err != nil {
		return nil, fmt.Errorf("draw a salt: %w", err)
	}
	h.dummy = encodeHash(cost, random[:saltBytes], random[saltBytes:])
	return h, nil
}

// hash gives the PHC string of a password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(h.rand, salt); err != nil {
		return "", fmt.Errorf("draw a salt: %w", err)
	}
	var encoded string
	err := h.inTurn(ctx, func() {
		key := argon2.IDKey([]byte(password), salt, h.cost.Passes, h.cost.MemoryKiB, h.cost.Lanes, keyBytes)
		encoded = encodeHash(h.cost, salt, key)
	})
	return encoded, err
}

// matches reports whether the password is the hashed one. An empty hash stands for an account that does not exist, and one
// that says elsewhere for one without a password: they cost the same and never match.
func (h *hasher) matches(ctx context.Context, hash, password string) (bool, error) {
	exists := hash != "" && !strings.HasPrefix(hash, elsewhere)
	if !exists {
		hash = h.dummy
	}
	cost, salt, want, err := decodeHash(hash)
	if err != nil {
		return false, err
	}
	var equal bool
	err = h.inTurn(ctx, func() {
		got := argon2.IDKey([]byte(password), salt, cost.Passes, cost.MemoryKiB, cost.Lanes, uint32(len(want))) //nolint:gosec // decodeHash bounds it
		equal = subtle.ConstantTimeCompare(got, want) == 1
	})
	return equal && exists, err
}

func (h *hasher) inTurn(ctx context.Context, work func()) error {
	select {
	case h.queue <- struct{}{}:
		defer func() { <-h.queue }()
	default:
		return &chat.Error{
			Code: chat.Unavailable, Detail: "too many people are signing in at this moment; try again", RetryAfter: hashQueueFullWait,
		}
	}
	select {
	case h.turns <- struct{}{}:
		defer func() { <-h.turns }()
	case <-ctx.Done():
		return fmt.Errorf("wait to hash a password: %w", ctx.Err())
	}
	work()
	return nil
}

func encodeHash(cost HashCost, salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, cost.MemoryKiB, cost.Passes, cost.Lanes, b64.EncodeToString(salt), b64.EncodeToString(key))
}

func decodeHash(encoded string) (cost HashCost, salt, key []byte, err error) {
	parts := strings.Split(encoded, "$")
	if len(encoded) > hashBytesMax || len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return HashCost{}, nil, nil, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &cost.MemoryKiB, &cost.Passes, &cost.Lanes); err != nil || cost.check() != nil {
		return HashCost{}, nil, nil, errHash
	}
	salt, errSalt := base64.RawStdEncoding.DecodeString(parts[4])
	key, errKey := base64.RawStdEncoding.DecodeString(parts[5])
	if errSalt != nil || errKey != nil || len(salt) < 8 || len(key) < 16 {
		return HashCost{}, nil, nil, errHash
	}
	return cost, salt, key, nil
}
