package app

import (
	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/adapter/kafka"
	"github.com/blabber-hive/blabber-hive/internal/adapter/memory"
	"github.com/blabber-hive/blabber-hive/internal/adapter/modelserver"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres"
	"github.com/blabber-hive/blabber-hive/internal/adapter/redis"
	"github.com/blabber-hive/blabber-hive/internal/adapter/sqlite"
	"github.com/blabber-hive/blabber-hive/internal/adapter/supabase"
	"github.com/blabber-hive/blabber-hive/internal/adapter/vader"
	"github.com/blabber-hive/blabber-hive/internal/archive"
	"github.com/blabber-hive/blabber-hive/internal/gateway"
	"github.com/blabber-hive/blabber-hive/internal/history"
	"github.com/blabber-hive/blabber-hive/internal/message"
	"github.com/blabber-hive/blabber-hive/internal/mood"
	"github.com/blabber-hive/blabber-hive/internal/presence"
	"github.com/blabber-hive/blabber-hive/internal/recent"
	"github.com/blabber-hive/blabber-hive/internal/replay"
	"github.com/blabber-hive/blabber-hive/internal/room"
	"github.com/blabber-hive/blabber-hive/internal/sequencer"
)

// Every port and what is behind it when a server runs alone.
var (
	_ sequencer.Log   = (*memory.Log)(nil)
	_ sequencer.Bus   = (*memory.Bus)(nil)
	_ sequencer.Store = (*sqlite.Store)(nil)

	_ message.Log     = (*memory.Log)(nil)
	_ message.Store   = (*sqlite.Store)(nil)
	_ message.Limiter = (*memory.Limiter)(nil)

	_ account.Users    = (*sqlite.Store)(nil)
	_ account.Sessions = (*sqlite.Store)(nil)
	_ account.Living   = (*sqlite.Store)(nil)
	_ account.Keys     = (*sqlite.Store)(nil)
	_ account.Signals  = (*memory.Bus)(nil)
	_ account.Limiter  = (*memory.Limiter)(nil)
	_ account.Provider = (*supabase.Verifier)(nil)

	_ room.Store     = (*sqlite.Store)(nil)
	_ room.Directory = (*sqlite.Store)(nil)
	_ room.People    = (*sqlite.Store)(nil)
	_ room.Outbox    = (*sqlite.Store)(nil)
	_ room.Log       = (*memory.Log)(nil)
	_ room.Signals   = (*memory.Bus)(nil)
	_ room.Settler   = (*room.Relay)(nil)

	_ history.Store   = (*sqlite.Store)(nil)
	_ history.Marks   = (*sqlite.Store)(nil)
	_ history.Signals = (*memory.Bus)(nil)

	_ mood.Texts  = (*sqlite.Texts)(nil)
	_ mood.Rooms  = (*sqlite.Store)(nil)
	_ mood.Counts = (*sqlite.Store)(nil)
	_ mood.Model  = (*vader.Model)(nil)
	_ mood.Log    = (*memory.Log)(nil)

	_ archive.Source  = (*sqlite.Store)(nil)
	_ archive.Target  = (*sqlite.Store)(nil)
	_ archive.Auditor = (*sqlite.Store)(nil)

	_ presence.Store   = (*memory.Presence)(nil)
	_ presence.Signals = (*memory.Bus)(nil)

	_ gateway.Bus      = (*memory.Bus)(nil)
	_ gateway.Accounts = (*account.Service)(nil)
	_ gateway.Messages = (*message.Service)(nil)
	_ gateway.Reader   = (*history.Service)(nil)
	_ gateway.Store    = (*sqlite.Store)(nil)
	_ gateway.Presence = (*presence.Service)(nil)
)

// What is behind them in a cluster.
var (
	_ sequencer.Store = (*postgres.Store)(nil)
	_ recent.Store    = (*postgres.Store)(nil)
	_ recent.Bus      = (*redis.Bus)(nil)
	_ message.Store   = (*recent.Reader)(nil)

	_ account.Users    = (*postgres.Store)(nil)
	_ account.Sessions = (*postgres.Store)(nil)
	_ account.Living   = (*postgres.Store)(nil)
	_ account.Keys     = (*postgres.Store)(nil)

	_ room.Store     = (*postgres.Store)(nil)
	_ room.Directory = (*postgres.Store)(nil)
	_ room.People    = (*postgres.Store)(nil)
	_ room.Outbox    = (*postgres.Store)(nil)

	_ history.Store = (*recent.Reader)(nil)
	_ history.Marks = (*postgres.Store)(nil)

	_ mood.Texts  = (*kafka.Texts)(nil)
	_ mood.Rooms  = (*postgres.Store)(nil)
	_ mood.Counts = (*postgres.Store)(nil)
	_ mood.Model  = (*modelserver.Model)(nil)
	_ mood.Log    = (*kafka.Log)(nil)

	_ archive.Source  = (*postgres.Store)(nil)
	_ archive.Target  = (*postgres.Store)(nil)
	_ archive.Auditor = (*postgres.Store)(nil)
	_ archive.Logged  = (*postgres.Store)(nil)
	_ archive.Log     = (*kafka.Log)(nil)

	_ replay.Store  = (*postgres.Store)(nil)
	_ replay.Behind = (*postgres.Store)(nil)
	_ replay.Log    = (*kafka.Log)(nil)
	_ sequencer.Log = (*replay.Stretch)(nil)

	_ gateway.Store = (*recent.Reader)(nil)

	_ sequencer.Bus    = (*redis.Bus)(nil)
	_ gateway.Bus      = (*redis.Bus)(nil)
	_ account.Signals  = (*redis.Bus)(nil)
	_ room.Signals     = (*redis.Bus)(nil)
	_ history.Signals  = (*redis.Bus)(nil)
	_ presence.Signals = (*redis.Bus)(nil)
	_ presence.Store   = (*redis.Presence)(nil)
	_ message.Limiter  = (*redis.Limiter)(nil)
	_ account.Limiter  = (*redis.Limiter)(nil)
)
