package storetest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

func testSessions(t *testing.T, fresh Fresh) {
	each(t, fresh, map[string]func(t *testing.T, i *Instance){
		"a refresh token rotates once":                     rotation,
		"of racing callers with one token one rotates":     racingRotation,
		"a spent token is raced at first and reused later": spentTokens,
		"a token whose answer was lost rotates again":      lostAnswers,
		"an expired session rotates no more and is gone":   expiredSessions,
		"sessions of a person, last used first":            listSessions,
		"sessions end":                                     endSessions,
		"of many sessions those that live":                 livingSessions,
		"a new password ends all sessions but one":         newPassword,
		"signing in forgets what has expired":              forgetExpired,
	})
}

const life = 30 * 24 * time.Hour

var grace = chat.RefreshGrace{Race: time.Second, Lost: time.Minute}

func token(n byte) (hash [32]byte) {
	hash[0], hash[31] = n, n
	return hash
}

// AddSession signs a person in.
func (i *Instance) AddSession(t TB, user chat.User, refresh [32]byte) chat.Session {
	t.Helper()
	now := i.Now()
	session := chat.Session{ID: i.id(), User: user.ID, CreatedAt: now, LastUsedAt: now, ExpiresAt: now.Add(life), UserAgent: "Firefox"}
	if err := i.Store.CreateSession(ctx(t), session, refresh); err != nil {
		t.Fatalf("CreateSession: %v", err)
	}
	return session
}

func (i *Instance) rotate(t *testing.T, spent, next byte, now time.Time, want chat.RefreshOutcome, session chat.Session) chat.Session {
	t.Helper()
	got, outcome, err := i.Store.RotateRefresh(t.Context(), token(spent), token(next), now, now.Add(life), grace)
	if want == chat.RefreshUnknown {
		session = chat.Session{}
	}
	if want == chat.RefreshRotated {
		session.LastUsedAt, session.ExpiresAt = now, now.Add(life)
	}
	if d := diff(session, got); err != nil || outcome != want || d != "" {
		t.Errorf("RotateRefresh(%d → %d) = %d, %v, want %d; diff (-want +got)\n%s", spent, next, outcome, err, want, d)
	}
	return session
}

func rotation(t *testing.T, i *Instance) {
	mina := i.AddUser(t, "mina")
	session := i.AddSession(t, mina, token(1))
	other := i.AddSession(t, mina, token(101))
	i.rotate(t, 99, 98, i.Now(), chat.RefreshUnknown, session)
	for n := byte(1); n < 6; n++ {
		session = i.rotate(t, n, n+1, i.Now(), chat.RefreshRotated, session)
	}
	i.Restart()
	session = i.rotate(t, 6, 7, i.Now(), chat.RefreshRotated, session)
	got, err := i.Store.Session(t.Context(), session.ID)
	if d := diff(session, got); err != nil || d != "" {
		t.Errorf("Session: %v; diff (-want +got)\n%s", err, d)
	}
	i.rotate(t, 101, 102, i.Now(), chat.RefreshRotated, other)
}

func racingRotation(t *testing.T, i *Instance) {
	session := i.AddSession(t, i.AddUser(t, "mina"), token(1))
	now := i.Now()
	var tabs sync.WaitGroup
	outcomes := make([]chat.RefreshOutcome, 20)
	for n := range outcomes {
		tabs.Go(func() {
			got, outcome, err := i.Store.RotateRefresh(t.Context(), token(1), token(byte(2+n)), now, now.Add(life), grace)
			if err != nil || got.ID != session.ID {
				t.Errorf("RotateRefresh = %+v, %v", got, err)
			}
			outcomes[n] = outcome
		})
	}
	tabs.Wait()
	rotated, winner := 0, 0
	for n, outcome := range outcomes {
		switch outcome {
		case chat.RefreshRotated:
			rotated, winner = rotated+1, n
		case chat.RefreshRaced:
		case chat.RefreshUnknown, chat.RefreshReused:
			t.Errorf("tab %d: outcome %d, want raced", n, outcome)
		}
	}
	if rotated != 1 {
		t.Fatalf("%d tabs rotated, want one", rotated)
	}
	session.LastUsedAt, session.ExpiresAt = now, now.Add(life)
	i.rotate(t, byte(2+winner), 200, i.Now(), chat.RefreshRotated, session)
}

func spentTokens(t *testing.T, i *Instance) {
	session := i.AddSession(t, i.AddUser(t, "mina"), token(1))
	first := i.Now()
	session = i.rotate(t, 1, 2, first, chat.RefreshRotated, session)
	i.rotate(t, 1, 3, first.Add(grace.Race), chat.RefreshRaced, session)
	i.rotate(t, 1, 3, first.Add(grace.Lost+time.Millisecond), chat.RefreshReused, session)
	second := first.Add(time.Hour)
	session = i.rotate(t, 2, 3, second, chat.RefreshRotated, session)
	i.rotate(t, 2, 4, second.Add(time.Second), chat.RefreshRaced, session)
	i.rotate(t, 1, 4, second.Add(time.Second), chat.RefreshReused, session) // the grace is from its own replacement
	i.rotate(t, 2, 4, second.Add(grace.Lost+time.Millisecond), chat.RefreshReused, session)
	if err := i.Store.DeleteSession(t.Context(), session.User, session.ID); err != nil {
		t.Fatal(err)
	}
	for _, spent := range []byte{1, 2, 3} {
		i.rotate(t, spent, 9, second.Add(time.Minute), chat.RefreshUnknown, session)
	}
}

func lostAnswers(t *testing.T, i *Instance) {
	session := i.AddSession(t, i.AddUser(t, "mina"), token(1))
	now := i.Now()
	session = i.rotate(t, 1, 2, now, chat.RefreshRotated, session)
	for lost := byte(3); lost < 6; lost++ { // however often, as long as somebody asks again in time
		now = now.Add(grace.Lost)
		session = i.rotate(t, 1, lost, now, chat.RefreshRotated, session)
		i.rotate(t, 1, 90, now.Add(grace.Race), chat.RefreshRaced, session)
	}
	used := now.Add(grace.Race + time.Millisecond)
	i.rotate(t, 4, 90, used, chat.RefreshReused, session) // of all successors the last one alone is good
	session = i.rotate(t, 5, 6, used, chat.RefreshRotated, session)
	i.rotate(t, 1, 90, used.Add(grace.Race+time.Millisecond), chat.RefreshReused, session) // its successor has been used
	i.rotate(t, 5, 7, used.Add(grace.Race+time.Millisecond), chat.RefreshRotated, session)
}

func expiredSessions(t *testing.T, i *Instance) {
	mina := i.AddUser(t, "mina")
	session := i.AddSession(t, mina, token(1))
	i.rotate(t, 1, 2, session.ExpiresAt, chat.RefreshUnknown, session)
	if _, err := i.Store.Session(t.Context(), session.ID); chat.CodeOf(err) != chat.NotFound {
		t.Errorf("Session after it expired: %v, want not_found", err)
	}
	session = i.AddSession(t, mina, token(11))
	session = i.rotate(t, 11, 12, session.ExpiresAt.Add(-time.Millisecond), chat.RefreshRotated, session)
	i.rotate(t, 12, 13, session.ExpiresAt.Add(-time.Millisecond), chat.RefreshRotated, session)
}

func listSessions(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	a, b, c := i.AddSession(t, mina, token(1)), i.AddSession(t, mina, token(2)), i.AddSession(t, mina, token(3))
	i.AddSession(t, joon, token(4))
	now := i.Now()
	a.LastUsedAt, a.ExpiresAt = now, now.Add(life)
	i.rotate(t, 1, 5, now, chat.RefreshRotated, a)
	got, err := i.Store.SessionsOf(t.Context(), mina.ID, now)
	if d := diff([]chat.Session{a, c, b}, got); err != nil || d != "" {
		t.Errorf("SessionsOf: %v; diff (-want +got)\n%s", err, d)
	}
	got, err = i.Store.SessionsOf(t.Context(), mina.ID, c.ExpiresAt)
	if d := diff([]chat.Session{a}, got); err != nil || d != "" {
		t.Errorf("SessionsOf when two have expired: %v; diff (-want +got)\n%s", err, d)
	}
}

func endSessions(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	a, b, c := i.AddSession(t, mina, token(1)), i.AddSession(t, mina, token(2)), i.AddSession(t, mina, token(3))
	his := i.AddSession(t, joon, token(4))
	if err := i.Store.DeleteSession(t.Context(), mina.ID, his.ID); chat.CodeOf(err) != chat.NotFound {
		t.Errorf("DeleteSession of somebody else's: %v, want not_found", err)
	}
	if err := i.Store.DeleteSession(t.Context(), mina.ID, a.ID); err != nil {
		t.Error(err)
	}
	if err := i.Store.DeleteSession(t.Context(), mina.ID, a.ID); chat.CodeOf(err) != chat.NotFound {
		t.Errorf("DeleteSession twice: %v, want not_found", err)
	}
	if err := i.Store.DeleteSessions(t.Context(), mina.ID, b.ID); err != nil {
		t.Error(err)
	}
	for session, want := range map[chat.Session]chat.Code{a: chat.NotFound, b: "", c: chat.NotFound, his: ""} {
		_, err := i.Store.Session(t.Context(), session.ID)
		if (want == "") != (err == nil) || (err != nil && chat.CodeOf(err) != want) {
			t.Errorf("Session: %v, want %q", err, want)
		}
	}
	if err := i.Store.DeleteSessions(t.Context(), mina.ID, chat.SessionID{}); err != nil {
		t.Error(err)
	}
	if got, err := i.Store.SessionsOf(t.Context(), mina.ID, i.Now()); err != nil || len(got) != 0 {
		t.Errorf("SessionsOf = %v, %v, want none", got, err)
	}
	orphan := chat.Session{ID: i.id(), User: i.id(), CreatedAt: i.Now(), LastUsedAt: i.Now(), ExpiresAt: i.Now()}
	if err := i.Store.CreateSession(t.Context(), orphan, token(50)); chat.CodeOf(err) != chat.NotFound {
		t.Errorf("CreateSession of nobody: %v, want not_found", err)
	}
}

// Promise: a session lives until it is ended, has expired, or its account is disabled.
func livingSessions(t *testing.T, i *Instance) {
	mina, joon, eve := i.AddUser(t, "mina"), i.AddUser(t, "joon"), i.AddUser(t, "eve")
	ended, kept, his, hers := i.AddSession(t, mina, token(1)), i.AddSession(t, mina, token(2)), i.AddSession(t, joon, token(3)), i.AddSession(t, eve, token(4))
	if err := i.Store.DeleteSession(t.Context(), mina.ID, ended.ID); err != nil {
		t.Fatal(err)
	}
	i.UpdateUser(t, eve.ID, func(user *chat.User) { user.Disabled = true })
	asked := []chat.SessionID{kept.ID, ended.ID, hers.ID, {0xff}, his.ID}
	for _, tc := range []struct {
		now  time.Time
		want []chat.SessionID
	}{
		{i.Now(), []chat.SessionID{kept.ID, his.ID}},
		{kept.ExpiresAt.Add(-time.Millisecond), []chat.SessionID{kept.ID, his.ID}},
		{kept.ExpiresAt, []chat.SessionID{his.ID}},
		{his.ExpiresAt.Add(time.Hour), nil},
	} {
		got, err := i.Store.LivingSessions(t.Context(), asked, tc.now)
		slices.SortFunc(got, func(a, b chat.SessionID) int { return slices.Compare(a[:], b[:]) })
		slices.SortFunc(tc.want, func(a, b chat.SessionID) int { return slices.Compare(a[:], b[:]) })
		if d := diff(tc.want, got); err != nil || d != "" {
			t.Errorf("LivingSessions: %v; diff (-want +got)\n%s", err, d)
		}
	}
	if got, err := i.Store.EnabledUsers(t.Context(), []chat.UserID{eve.ID, mina.ID, {0xff}}); err != nil || len(got) != 1 || got[0] != mina.ID {
		t.Errorf("EnabledUsers = %v, %v, want mina", got, err)
	}
	i.UpdateUser(t, eve.ID, func(user *chat.User) { user.Disabled = false })
	if got, err := i.Store.LivingSessions(t.Context(), []chat.SessionID{hers.ID}, i.Now()); err != nil || len(got) != 1 {
		t.Errorf("LivingSessions of an account that is enabled again = %v, %v", got, err)
	}
}

func newPassword(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	kept, his := i.AddSession(t, mina, token(1)), i.AddSession(t, joon, token(2))
	i.AddSession(t, mina, token(3))
	for _, tc := range []struct {
		keep chat.SessionID
		want []chat.Session
	}{{kept.ID, []chat.Session{kept}}, {chat.SessionID{}, nil}} {
		if err := i.Store.SetPassword(t.Context(), mina.ID, "new hash", tc.keep); err != nil {
			t.Fatal(err)
		}
		got, err := i.Store.SessionsOf(t.Context(), mina.ID, i.Now())
		if d := diff(tc.want, got); err != nil || d != "" {
			t.Errorf("SessionsOf: %v; diff (-want +got)\n%s", err, d)
		}
	}
	if _, err := i.Store.Session(t.Context(), his.ID); err != nil {
		t.Errorf("Session of somebody else: %v", err)
	}
}

func forgetExpired(t *testing.T, i *Instance) {
	mina, joon := i.AddUser(t, "mina"), i.AddUser(t, "joon")
	old, his := i.AddSession(t, mina, token(1)), i.AddSession(t, joon, token(2))
	i.now = his.ExpiresAt.Add(time.Second)
	i.AddSession(t, mina, token(3))
	if _, err := i.Store.Session(t.Context(), old.ID); chat.CodeOf(err) != chat.NotFound {
		t.Errorf("Session that had expired: %v, want not_found", err)
	}
	if _, err := i.Store.Session(t.Context(), his.ID); err != nil {
		t.Errorf("Session of somebody else: %v", err)
	}
}
