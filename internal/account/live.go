package account

import (
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// live is a session that was found alive at some time, and whose it is.
type live struct {
	user    chat.User
	session chat.Session
	at      time.Time
}

// liveSessions remembers a bounded number of sessions that were found alive, so that not every request asks the store.
//
// A session that ends while it is being read must not be remembered: the reader asks, the session is deleted and
// forgotten, and only then the reader comes to remember what it read. So every forgetting moves the epoch, and what was
// read in an earlier epoch is not remembered.
type liveSessions struct {
	*halves[chat.SessionID, live]
	fresh time.Duration
	epoch uint64 // guarded by the halves' lock
}

func newLiveSessions(most int, fresh time.Duration) *liveSessions {
	return &liveSessions{halves: newHalves[chat.SessionID, live](most), fresh: fresh}
}

// find answers what is remembered of a session, whether that is fresh enough to be believed, and the epoch in which the
// caller may remember what it goes on to read.
func (l *liveSessions) find(id chat.SessionID, now time.Time) (entry live, known, fresh bool, epoch uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry, known = l.getLocked(id)
	age := now.Sub(entry.at)
	return entry, known, known && age >= 0 && age < l.fresh, l.epoch
}

func (l *liveSessions) remember(entry live, epoch uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.epoch == epoch {
		l.putLocked(entry.session.ID, entry)
	}
}

func (l *liveSessions) forget(id chat.SessionID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.epoch++
	delete(l.young, id)
	delete(l.old, id)
}

// forgetUser goes through everything: it happens when a person changes a profile or signs out everywhere, which is rare.
func (l *liveSessions) forgetUser(user chat.UserID, except chat.SessionID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.epoch++
	l.removeLocked(func(id chat.SessionID, entry live) bool { return entry.user.ID == user && id != except })
}
