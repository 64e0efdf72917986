package socket

import (
	"sync"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/run"
)

// Host is what the sockets of a node share. Make it with NewHost.
type Host struct {
	group    *run.Group
	now      func() time.Time
	ended    func(why Closing)
	slow     Closing
	writers  *writers
	gather   sync.Pool // of *[]byte with gatherBytes of room, borrowed while a slow socket is written to
	inbounds sync.Pool // of *inbound
}

// NewHost makes a host whose goroutines are the group's. ended is told of every socket that is ended from this side, and
// why; slow is the reason for those that do not keep up.
func NewHost(group *run.Group, now func() time.Time, slow Closing, ended func(why Closing)) *Host {
	h := &Host{group: group, now: now, ended: ended, slow: slow, writers: newWriters(group)}
	h.gather.New = func() any { buffer := make([]byte, 0, gatherBytes); return &buffer }
	h.inbounds.New = func() any { return newInbound() }
	return h
}

// Start starts the writers, which run until the group's context ends.
func (h *Host) Start() { h.writers.start() }

// Wake has sockets written to, for which Enqueue asked.
func (h *Host) Wake(sockets ...*Socket) { h.writers.add(sockets...) }
