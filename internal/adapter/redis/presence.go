package redis

import (
	"context"
	_ "embed" // the scripts
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/redis/rueidis"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

const (
	// A node that has not been heard of for leaseLife is dead; it is heard of every beatEvery, and the others look for dead
	// ones as often. So people go offline at the latest the sum of both after their node has died.
	leaseLife = 20 * time.Second
	beatEvery = 5 * time.Second

	sweptAtOnce   = 500
	countedAtOnce = 500
)

//go:embed presence_count.lua
var countSource string

//go:embed presence_beat.lua
var beatSource string

//go:embed presence_retire.lua
var retireSource string

//go:embed presence_sweep.lua
var sweepSource string

// Presence counts who is online over all nodes. What this process counts it keeps itself, and Redis holds on which nodes
// each person is, so that a second connection costs no call. While Redis is away the counting goes on here, and Redis is
// told when it is back.
//
// Redis knows this process under an id that is good for one epoch. Whenever it is in doubt what Redis has counted (a call
// without an answer, a Redis that came back perhaps empty or from an old copy, a lease that has run out) a new epoch
// begins: everybody is counted under a new id and then the old one is given up, in this order so that nobody seems to have
// gone meanwhile.
type Presence struct {
	*Client
	count, prolong, retire, sweep *rueidis.Lua
	lease, beat                   time.Duration

	nodes, gone, online, people string // names of keys; people is what those of nodes begin with

	wake chan struct{} // holds a token where the watcher has something to do

	mu      sync.Mutex
	here    map[chat.UserID]int      // connections in this process
	telling map[chat.UserID]struct{} // somebody is telling Redis of them
	epoch   string
	doubt   bool
	recheck []chat.UserID
}

// NewPresence makes the presence of a node; Watch must run, or the node is taken for dead.
func NewPresence(client *Client) *Presence {
	at := client.names.presence
	return &Presence{
		Client: client, nodes: at + "nodes", gone: at + "gone", online: at + "online", people: at + "n:",
		count: rueidis.NewLuaScript(countSource), prolong: rueidis.NewLuaScript(beatSource),
		retire: rueidis.NewLuaScript(retireSource), sweep: rueidis.NewLuaScript(sweepSource),
		lease: leaseLife, beat: beatEvery,
		wake: make(chan struct{}, 1), here: make(map[chat.UserID]int), telling: make(map[chat.UserID]struct{}),
		epoch: uuid.NewString(), doubt: true,
	}
}

// Connected implements presence.Store. It does not fail: what Redis cannot be told now it is told later.
func (p *Presence) Connected(ctx context.Context, user chat.UserID) (first bool, err error) {
	p.mu.Lock()
	p.here[user]++
	changed := p.here[user] == 1
	p.mu.Unlock()
	return changed && p.tell(ctx, user), nil
}

// Disconnected implements presence.Store.
func (p *Presence) Disconnected(ctx context.Context, user chat.UserID) (last bool, err error) {
	p.mu.Lock()
	if p.here[user] == 0 {
		p.mu.Unlock()
		return false, nil
	}
	p.here[user]--
	changed := p.here[user] == 0
	if changed {
		delete(p.here, user)
	}
	p.mu.Unlock()
	return changed && p.tell(ctx, user), nil
}

// tell makes Redis count a person as this process does, and reports whether that made the person come or go. Calls for one
// person must reach Redis in order, so there is one at a time: who comes meanwhile leaves it to the one who is at it, who
// looks again when done. Then nobody knows what has to be told, and the person is asked after once more.
func (p *Presence) tell(ctx context.Context, user chat.UserID) (changed bool) {
	p.mu.Lock()
	if _, busy := p.telling[user]; busy {
		p.mu.Unlock()
		return false
	}
	p.telling[user] = struct{}{}
	for turns := 1; ; turns++ {
		is, epoch := p.here[user] > 0, p.epoch
		p.mu.Unlock()
		changed, err := p.tellOnce(ctx, epoch, user, is)
		p.mu.Lock()
		if err == nil && (is != (p.here[user] > 0) || epoch != p.epoch) {
			continue
		}
		delete(p.telling, user)
		p.doubt = p.doubt || err != nil
		if turns > 1 {
			p.recheck = append(p.recheck, user)
		}
		if err != nil || turns > 1 {
			p.wakeLocked()
		}
		p.mu.Unlock()
		return changed && turns == 1
	}
}

func (p *Presence) wakeLocked() {
	select {
	case p.wake <- struct{}{}:
	default: // the watcher has been woken already
	}
}

func (p *Presence) tellOnce(ctx context.Context, epoch string, user chat.UserID, is bool) (changed bool, err error) {
	in := "0"
	if is {
		in = "1"
	}
	result, err := p.script(ctx, callPatience, p.count, []string{p.nodes, p.people + epoch, p.online},
		[]string{epoch, rueidis.BinaryString(user[:]), in, milliseconds(p.lease)})
	if err != nil {
		return false, err
	}
	n, err := result.AsInt64()
	return n == 1, err
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// Online implements presence.Store, in one round trip.
func (p *Presence) Online(ctx context.Context, users []chat.UserID) ([]bool, error) {
	if len(users) == 0 {
		return nil, nil
	}
	fields := make([]string, len(users))
	for i := range users {
		fields[i] = rueidis.BinaryString(users[i][:])
	}
	results, err := p.pipeline(ctx, callPatience, func(b rueidis.Builder) rueidis.Commands {
		return rueidis.Commands{b.Hmget().Key(p.online).Field(fields...).Build()}
	})
	if err != nil {
		return nil, fmt.Errorf("ask who of %d is online: %w", len(users), err)
	}
	counts, err := results[0].ToArray()
	if err != nil {
		return nil, fmt.Errorf("ask who of %d is online: %w", len(users), err)
	}
	online := make([]bool, len(users))
	for i := range counts {
		online[i] = !counts[i].IsNil()
	}
	return online, nil
}

// Watch implements presence.Store: it keeps this node known, and looks for nodes that have died.
func (p *Presence) Watch(ctx context.Context, changed func(users []chat.UserID)) error {
	back := p.watchBack()
	ticker := time.NewTicker(p.beat)
	defer ticker.Stop()
	for {
		p.look(ctx, changed)
		select {
		case <-ticker.C:
		case <-p.wake:
			if err := run.Pause(ctx, 10*time.Millisecond); err != nil { // many have the same to say
				p.leave(ctx)
				return err
			}
		case <-back:
			p.mu.Lock()
			p.doubt = true
			p.mu.Unlock()
		case <-ctx.Done():
			p.leave(ctx)
			return ctx.Err()
		}
	}
}

// look does all that is due. What fails is done at the next beat.
func (p *Presence) look(ctx context.Context, changed func(users []chat.UserID)) {
	if _, err := p.client(); err != nil {
		return
	}
	p.mu.Lock()
	doubt, epoch := p.doubt, p.epoch
	p.mu.Unlock()
	if !doubt {
		result, err := p.script(ctx, callPatience, p.prolong, []string{p.nodes}, []string{epoch, milliseconds(p.lease)})
		if err != nil {
			return
		}
		known, err := result.AsInt64()
		p.mu.Lock()
		doubt = err == nil && known == 0 && len(p.here) > 0
		p.mu.Unlock()
	}
	if doubt {
		if err := p.begin(ctx, changed); err != nil {
			p.log.WarnContext(ctx, "presence is not counted yet", "error", err)
			return
		}
	}
	p.mu.Lock()
	again := p.recheck
	p.recheck = nil
	p.mu.Unlock()
	if len(again) > 0 {
		changed(again)
	}
	p.sweepNodes(ctx, changed)
}

// begin begins an epoch.
func (p *Presence) begin(ctx context.Context, changed func(users []chat.UserID)) error {
	p.mu.Lock()
	old, epoch := p.epoch, uuid.NewString()
	p.epoch, p.doubt = epoch, false // before the people are listed: who comes or goes from here on is told under the new id
	users := make([]chat.UserID, 0, len(p.here))
	for user := range p.here {
		users = append(users, user)
	}
	p.mu.Unlock()
	if err := p.countAll(ctx, epoch, users, changed); err != nil {
		p.mu.Lock()
		p.doubt = true
		p.mu.Unlock()
		return err
	}
	_, err := p.script(ctx, callPatience, p.retire, []string{p.nodes, p.gone}, []string{old})
	return err // the old id's lease then runs out
}

func (p *Presence) countAll(ctx context.Context, epoch string, users []chat.UserID, changed func(users []chat.UserID)) error {
	redis, err := p.client()
	if err != nil {
		return err
	}
	for len(users) > 0 {
		some := users[:min(len(users), countedAtOnce)]
		users = users[len(some):]
		calls := make([]rueidis.LuaExec, len(some))
		for i := range some {
			calls[i] = rueidis.LuaExec{
				Keys: []string{p.nodes, p.people + epoch, p.online},
				Args: []string{epoch, rueidis.BinaryString(some[i][:]), "1", milliseconds(p.lease)},
			}
		}
		limited, cancel := context.WithTimeout(ctx, replyPatience)
		results := p.count.ExecMulti(limited, redis, calls...)
		cancel()
		var came []chat.UserID
		for i := range results {
			n, err := results[i].AsInt64()
			if err != nil {
				return fmt.Errorf("count %d people anew: %w", len(some), err)
			}
			if n == 1 {
				came = append(came, some[i])
			}
		}
		for _, user := range some { // who went after the list was made may have been counted out before being counted in
			p.mu.Lock()
			went := p.here[user] == 0
			p.mu.Unlock()
			if went && p.tell(ctx, user) {
				came = append(came, user)
			}
		}
		if len(came) > 0 {
			changed(came)
		}
	}
	return nil
}

// sweepNodes uncounts the people of nodes that have died, and passes on those who are nowhere else.
func (p *Presence) sweepNodes(ctx context.Context, changed func(users []chat.UserID)) {
	for ctx.Err() == nil {
		result, err := p.script(ctx, replyPatience, p.sweep, []string{p.nodes, p.gone, p.online},
			[]string{p.people, strconv.Itoa(sweptAtOnce)})
		if err != nil {
			return
		}
		answer, err := result.ToArray()
		if err != nil || len(answer) == 0 {
			p.log.WarnContext(ctx, "nodes that died could not be swept", "error", err)
			return
		}
		var went []chat.UserID
		for _, person := range answer[1:] {
			var user chat.UserID
			if raw, err := person.AsBytes(); err == nil && len(raw) == len(user) {
				copy(user[:], raw)
				went = append(went, user)
			}
		}
		if len(went) > 0 {
			changed(went)
		}
		if more, err := answer[0].AsInt64(); err != nil || more == 0 {
			return
		}
	}
}

// leave gives this node up at once where it ends in order, so that the others need not wait for its lease.
func (p *Presence) leave(ctx context.Context) {
	p.mu.Lock()
	epoch := p.epoch
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callPatience)
	defer cancel()
	_, _ = p.script(ctx, callPatience, p.retire, []string{p.nodes, p.gone}, []string{epoch}) // else its lease runs out
}
