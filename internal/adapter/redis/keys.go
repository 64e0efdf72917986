package redis

import (
	"fmt"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// shardCount is how many parts the rooms of a deployment fall into. Redis Cluster cannot divide a part, and a gateway
// holds one connection for each.
const shardCount = 16

// names makes the names of keys and channels.
type names struct {
	shards   [shardCount]string // as they begin
	presence string
	limit    string
}

func newNames(prefix string) names {
	n := names{presence: "{" + prefix + "p}", limit: prefix + "l:"}
	for i := range n.shards {
		n.shards[i] = fmt.Sprintf("{%s%02d}", prefix, i)
	}
	return n
}

// shardOf a room: the last byte of a UUIDv7 is random.
func shardOf(room chat.RoomID) int { return int(room[15]) % shardCount }

func (n *names) of(room chat.RoomID, kind string) string {
	return n.shards[shardOf(room)] + kind + room.String()
}

func (n *names) channel(room chat.RoomID) string { return n.of(room, "c:") }
func (n *names) tail(room chat.RoomID) string    { return n.of(room, "t:") }
func (n *names) head(room chat.RoomID) string    { return n.of(room, "h:") }
func (n *names) signals() string                 { return n.shards[0] + "signals" }
