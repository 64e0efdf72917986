//go:build linux

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/adapter/memory"
	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// seedersAtOnce share the store's commits.
const seedersAtOnce = 128

// citizen is somebody with an account, a token that outlasts the run, and rooms.
type citizen struct {
	profile chat.Profile
	token   string
	rooms   []chat.RoomID
}

// seeded is what of a store people and rooms are made in.
type seeded interface {
	account.Users
	account.Sessions
	account.Keys
	Update(ctx context.Context, room chat.RoomID, fn func(tx chat.RoomTx) error) error
}

// seed fills a data directory before a server runs over it.
func seed(ctx context.Context, dir string, people, rooms int, members func(room int) []int) (citizens []citizen, ids []chat.RoomID, err error) {
	store, err := sqlite.Open(ctx, sqlite.Options{Dir: dir})
	if err != nil {
		return nil, nil, fmt.Errorf("open the store: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return seedStore(ctx, store, people, rooms, members)
}

// seedStore makes people, and rooms with those of them that members names. It goes through the server's own account
// service with a cheap password hash, and through the store.
func seedStore(ctx context.Context, store seeded, people, rooms int, members func(room int) []int) (citizens []citizen, ids []chat.RoomID, err error) {
	config := account.DefaultConfig()
	config.Hash = account.HashCost{MemoryKiB: 8, Passes: 1, Lanes: 1}
	config.AccessLife = 24 * time.Hour
	config.HashesQueued = seedersAtOnce
	config.SignupByAddress = account.Rate{}
	accounts, err := account.New(config, account.World{
		Users: store, Sessions: store, Keys: store, Signals: new(memory.Bus), Limiter: memory.NewLimiter(time.Now),
		Clock: time.Now, Rand: rand.Reader, NewID: newID, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, nil, err
	}
	citizens, ids = make([]citizen, people), make([]chat.RoomID, rooms)
	if err := atOnce(ctx, people, func(ctx context.Context, i int) error {
		grant, err := accounts.SignUp(ctx, account.NewUser{Username: fmt.Sprintf("p%d", i), Password: "for a benchmark"}, account.Device{}, "")
		citizens[i] = citizen{profile: grant.User.Profile, token: grant.AccessToken}
		return err
	}); err != nil {
		return nil, nil, fmt.Errorf("sign people up: %w", err)
	}
	if err := atOnce(ctx, rooms, func(ctx context.Context, i int) error {
		ids[i] = chat.RoomID(newID())
		return seedRoom(ctx, store, chat.Room{ID: ids[i], Name: fmt.Sprintf("room %d", i), Visibility: chat.Public}, citizens, members(i))
	}); err != nil {
		return nil, nil, fmt.Errorf("make rooms: %w", err)
	}
	for i := range ids {
		for _, member := range members(i) {
			citizens[member].rooms = append(citizens[member].rooms, ids[i])
		}
	}
	return citizens, ids, nil
}

func seedRoom(ctx context.Context, store seeded, room chat.Room, citizens []citizen, members []int) error {
	return store.Update(ctx, room.ID, func(tx chat.RoomTx) error {
		now := time.Now().Truncate(time.Millisecond)
		room.CreatedBy, room.CreatedAt = citizens[members[0]].profile.ID, now
		if err := tx.PutRoom(room); err != nil {
			return err
		}
		for _, i := range members {
			member := chat.Member{Room: room.ID, User: citizens[i].profile, Role: chat.Plain, JoinedAt: now, Notify: chat.NotifyAll}
			if err := tx.PutMember(member); err != nil {
				return err
			}
		}
		return nil
	})
}

// atOnce calls fn for 0 to n-1, many at a time.
func atOnce(ctx context.Context, n int, fn func(ctx context.Context, i int) error) error {
	group := run.NewGroup(ctx)
	for worker := range min(seedersAtOnce, n) {
		group.Go("seed", func(ctx context.Context) error {
			for i := worker; i < n; i += seedersAtOnce {
				if err := fn(ctx, i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

func newID() [16]byte { return uuid.Must(uuid.NewV7()) }

// alone puts each person in a room of their own.
func alone(room int) []int { return []int{room} }

// together puts n people in one room.
func together(n int) func(int) []int {
	everyone := make([]int, n)
	for i := range everyone {
		everyone[i] = i
	}
	return func(int) []int { return everyone }
}

// scattered puts n people into rooms of size members, every person into as many rooms, each time with other people: row
// after row of rooms everyone is dealt anew, by multiplying with a number that has no factor in common with n.
func scattered(n, size int) func(int) []int {
	perRow := n / size
	return func(room int) []int {
		row, column := room/perRow, room%perRow
		factor := 1
		for left := row; left > 0; {
			factor++
			if coprime(factor, n) {
				left--
			}
		}
		members := make([]int, size)
		for i := range members {
			members[i] = (column*size + i) * factor % n
		}
		return members
	}
}

func coprime(a, b int) bool {
	for b != 0 {
		a, b = b, a%b
	}
	return a == 1
}
