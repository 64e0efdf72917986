package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

func testUsers(t *testing.T, fresh Fresh) {
	each(t, fresh, map[string]func(t *testing.T, i *Instance){
		"accounts are read as they were written": accounts,
		"a username is one person's":             racingUsers,
		"an id is one person's":                  racingIDs,
		"two changes at once never undo another": racingUpdates,
		"what is not there is not found":         missingUsers,
		"accounts are found by part of a name":   searchUsers,
		"all callers get one key":                keys,
	})
}

func accounts(t *testing.T, i *Instance) {
	mina := i.NewUser("mina")
	mina.DisplayName, mina.Admin = "미나 🐝", true
	if err := i.Store.CreateUser(t.Context(), mina, "hash"); err != nil {
		t.Fatal(err)
	}
	want := func(hash string) {
		t.Helper()
		user, err := i.Store.User(t.Context(), mina.ID)
		if d := diff(mina, user); err != nil || d != "" {
			t.Errorf("User: %v; diff (-want +got)\n%s", err, d)
		}
		user, got, err := i.Store.Credentials(t.Context(), "mina")
		if d := diff(mina, user); err != nil || d != "" || got != hash {
			t.Errorf("Credentials: %q, %v; diff (-want +got)\n%s", got, err, d)
		}
	}
	want("hash")
	changed := mina
	changed.Username, changed.CreatedAt = "other", i.Now() // must stay
	changed.DisplayName, changed.AvatarURL, changed.Status, changed.Email, changed.Admin, changed.Disabled = "M", "", "away", "", false, true
	got, err := i.Store.UpdateUser(t.Context(), mina.ID, func(user *chat.User) error {
		if d := diff(mina, *user); d != "" {
			t.Errorf("change is given (-want +got)\n%s", d)
		}
		*user = changed
		return nil
	})
	changed.Username, changed.CreatedAt = mina.Username, mina.CreatedAt
	if d := diff(changed, got); err != nil || d != "" {
		t.Errorf("UpdateUser: %v; diff (-want +got)\n%s", err, d)
	}
	mina = changed
	want("hash")
	if err := i.Store.SetPassword(t.Context(), mina.ID, "another hash", chat.SessionID{}); err != nil {
		t.Fatal(err)
	}
	_, err = i.Store.UpdateUser(t.Context(), mina.ID, func(user *chat.User) error { user.Status = "never"; return errRefused })
	if !errors.Is(err, errRefused) {
		t.Errorf("UpdateUser = %v, want the change's own error", err)
	}
	i.Restart()
	want("another hash")
}

func racingUsers(t *testing.T, i *Instance) {
	var all sync.WaitGroup
	var won, taken atomic.Int64
	for range 20 {
		user := i.NewUser("popular")
		all.Go(func() {
			err := i.Store.CreateUser(t.Context(), user, "hash")
			switch {
			case err == nil:
				won.Add(1)
			case chat.CodeOf(err) == chat.UsernameTaken:
				taken.Add(1)
			default:
				t.Errorf("CreateUser: %v", err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 || taken.Load() != 19 {
		t.Errorf("%d got the name and %d were refused, want 1 and 19", won.Load(), taken.Load())
	}
	shout := i.NewUser("POPULAR")
	if err := i.Store.CreateUser(t.Context(), shout, "hash"); chat.CodeOf(err) != chat.UsernameTaken {
		t.Errorf("CreateUser in capitals: %v, want username_taken", err)
	}
	if user, _, err := i.Store.Credentials(t.Context(), "Popular"); err != nil || user.Username != "popular" {
		t.Errorf("Credentials in capitals = %+v, %v", user, err)
	}
}

// racingIDs makes one account many times at once, as the first requests of somebody do who was signed in elsewhere.
func racingIDs(t *testing.T, i *Instance) {
	mina := i.NewUser("mina")
	var all sync.WaitGroup
	var won atomic.Int64
	for n := range 20 {
		user := mina
		if n%2 == 1 {
			user.Username = fmt.Sprintf("mina-%d", n)
		}
		all.Go(func() {
			switch err := i.Store.CreateUser(t.Context(), user, "hash"); {
			case err == nil:
				won.Add(1)
			case chat.CodeOf(err) != chat.Conflict && chat.CodeOf(err) != chat.UsernameTaken:
				t.Errorf("CreateUser: %v, want conflict or username_taken", err)
			}
		})
	}
	all.Wait()
	found, _, err := i.Store.SearchUsers(t.Context(), "mina", "", 100)
	if err != nil || won.Load() != 1 || len(found) != 1 || found[0].ID != mina.ID {
		t.Errorf("%d were told that they made it, and there are %+v, %v; want one", won.Load(), found, err)
	}
	if err := i.Store.CreateUser(t.Context(), i.NewUser("mina-20"), "hash"); err != nil {
		t.Errorf("CreateUser of another: %v", err)
	}
	other := mina
	other.Username = "nobody-else"
	if err := i.Store.CreateUser(t.Context(), other, "hash"); chat.CodeOf(err) != chat.Conflict {
		t.Errorf("CreateUser with an id in use: %v, want conflict", err)
	}
}

func missingUsers(t *testing.T, i *Instance) {
	stranger := i.NewUser("stranger")
	_, byID := i.Store.User(t.Context(), stranger.ID)
	_, _, byName := i.Store.Credentials(t.Context(), stranger.Username)
	_, update := i.Store.UpdateUser(t.Context(), stranger.ID, func(*chat.User) error { return nil })
	for name, err := range map[string]error{
		"User": byID, "Credentials": byName, "UpdateUser": update,
		"SetPassword": i.Store.SetPassword(t.Context(), stranger.ID, "hash", chat.SessionID{}),
	} {
		if chat.CodeOf(err) != chat.NotFound {
			t.Errorf("%s: %v, want not_found", name, err)
		}
	}
}

func searchUsers(t *testing.T, i *Instance) {
	for name, display := range map[string]string{
		"anna": "Ärger Straße", "bert": "BERTA", "cho": "조 은영", "dora": "50% off_er", "eve": "Kelvin (\u212a)", "gone": "gone",
	} {
		user := i.AddUser(t, name)
		i.UpdateUser(t, user.ID, func(user *chat.User) { user.DisplayName, user.Disabled = display, name == "gone" })
	}
	for query, want := range map[string]string{
		"": "anna,bert,cho,dora,eve", "ÄRGER": "anna", "berta": "bert", "ERT": "bert", "은영": "cho", "%": "dora", "f_e": "dora", "k": "eve",
		"gone": "", "nobody": "", "o": "cho,dora", "\n": "",
	} {
		for _, limit := range []int{1, 2, 10} {
			got := pages(t, limit, func(after chat.Cursor) ([]chat.User, chat.Cursor, error) {
				return i.Store.SearchUsers(t.Context(), query, after, limit)
			})
			var names []string
			for _, user := range got {
				names = append(names, user.Username)
			}
			if strings.Join(names, ",") != want {
				t.Errorf("SearchUsers(%q) in pages of %d = %v, want %s", query, limit, names, want)
			}
		}
	}
}

func keys(t *testing.T, i *Instance) {
	var all sync.WaitGroup
	got := make([][]byte, 20)
	for n := range got {
		all.Go(func() {
			var err error
			if got[n], err = i.Store.Key(t.Context(), "signing", fmt.Appendf(nil, "key of %d\x00", n)); err != nil {
				t.Errorf("Key: %v", err)
			}
		})
	}
	all.Wait()
	i.Restart()
	again, err := i.Store.Key(t.Context(), "signing", []byte("a late one"))
	if err != nil {
		t.Fatal(err)
	}
	for n := range got {
		if !bytes.Equal(got[n], again) {
			t.Errorf("caller %d got %q, after the restart it is %q", n, got[n], again)
		}
	}
	if other, err := i.Store.Key(t.Context(), "other", []byte("other")); err != nil || string(other) != "other" {
		t.Errorf("Key(other) = %q, %v", other, err)
	}
}

func racingUpdates(t *testing.T, i *Instance) {
	mina := i.AddUser(t, "mina")
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := i.Store.UpdateUser(t.Context(), mina.ID, func(user *chat.User) error { user.Status += "."; return nil }); err != nil {
				t.Errorf("UpdateUser: %v", err)
			}
		})
	}
	all.Wait()
	if got, err := i.Store.User(t.Context(), mina.ID); err != nil || got.Status != mina.Status+strings.Repeat(".", 50) {
		t.Errorf("User = %+v, %v, want all 50 changes", got, err)
	}
}
