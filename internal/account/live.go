package account

import (
	"sync"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// live is a session that was found alive at some time, and whose it is.
type live struct {
	user    chat.User
	session chat.Session
	at      time.Time
}

// liveSessions remembers sessions that were found alive, so that not every request asks the store.
//
// It is bounded by two halves: when the young half is full it becomes the old half, and what was in the old one and not
// asked for since is forgotten.
//
// A session that ends while it is being read must not be remembered: the reader asks, the session is deleted and
// forgotten, and only then the reader comes to remember what it read. So every forgetting moves the epoch, and what was
// read in an earlier epoch is not remembered.
type liveSessions struct {
	halfMax int
	fresh   time.Duration

	mu    sync.Mutex
	epoch uint64
	young map[chat.SessionID]live
	old   map[chat.SessionID]live
}

func newLiveSessions(most int, fresh time.Duration) *liveSessions {
	return &liveSessions{halfMax: max(most/2, 1), fresh: fresh, young: map[chat.SessionID]live{}}
}

// get answers what is remembered of a session, whether that is fresh enough to be believed, and the epoch in which
// the caller may remember what it goes on to read.
func (l *liveSessions) get(id chat.SessionID, now time.Time) (entry live, known, fresh bool, epoch uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry, known = l.young[id]
	if !known {
		entry, known = l.old[id]
		if known {
			l.put(id, entry)
		}
	}
	age := now.Sub(entry.at)
	return entry, known, known && age >= 0 && age < l.fresh, l.epoch
}

func (l *liveSessions) remember(entry live, epoch uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.epoch == epoch {
		l.put(entry.session.ID, entry)
	}
}

// put is called with the lock held.
func (l *liveSessions) put(id chat.SessionID, entry live) {
	if len(l.young) >= l.halfMax {
		l.old, l.young = l.young, make(map[chat.SessionID]live)
	}
	l.young[id] = entry
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
	for _, half := range []map[chat.SessionID]live{l.young, l.old} {
		for id, entry := range half {
			if entry.user.ID == user && id != except {
				delete(half, id)
			}
		}
	}
}
