package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/adapter/kafka"
	"github.com/blabber-hive/blabber-hive/internal/adapter/memory"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres"
	"github.com/blabber-hive/blabber-hive/internal/adapter/redis"
	"github.com/blabber-hive/blabber-hive/internal/app/setting"
	"github.com/blabber-hive/blabber-hive/internal/archive"
	"github.com/blabber-hive/blabber-hive/internal/mood"
	"github.com/blabber-hive/blabber-hive/internal/obs"
	"github.com/blabber-hive/blabber-hive/internal/recent"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// Cluster is what makes a server one of many. It runs alone without it, with everything in its data folder: somebody who
// names a part of a cluster must never find out later that their messages went into a file, so all of it is named or none.
type Cluster struct {
	DatabaseURL obs.Secret `env:"DATABASE_URL" name:"database-url" placeholder:"URL" help:"Cluster: the PostgreSQL that stores everything, like postgres://user:password@host/name."`
	Brokers     []string   `env:"KAFKA_BROKER_URL" name:"kafka-broker-url" placeholder:"HOST:PORT" help:"Cluster: some of the Kafka brokers that keep the log of all rooms."`
	RedisURL    obs.Secret `env:"REDIS_URL" name:"redis-url" placeholder:"URL" help:"Cluster: the Redis that carries events between servers, like redis://host:6379."`

	Roles []string `env:"ROLES" default:"gateway,sequencer,sentiment" placeholder:"ROLE" help:"Cluster: what this server does: gateway serves people, sequencer numbers and stores what they say, sentiment reads the mood of it."`

	StoreBatch      int `env:"STORE_BATCH" name:"store-batch" default:"0" placeholder:"N" help:"Cluster: how many messages are stored in one transaction at most. Larger ones drain a backlog faster and hold up what is live for longer. 0 is 1024."`
	DatabaseCommits int `env:"DATABASE_COMMITS" default:"0" hidden:"" help:"Connections that store batches."`
	DatabaseReads   int `env:"DATABASE_READS" default:"0" hidden:"" help:"Connections that read."`

	Partitions  int  `env:"KAFKA_PARTITIONS" name:"kafka-partitions" default:"0" placeholder:"N" help:"Cluster, for migrate: into how many parts a new log is split; it can never be changed. 0 is 12."`
	Replication int  `env:"KAFKA_REPLICATION" name:"kafka-replication" default:"0" placeholder:"N" help:"Cluster, for migrate: on how many brokers a new log is kept. 0 is 3."`
	AllowUnsafe bool `env:"KAFKA_ALLOW_UNSAFE" name:"kafka-allow-unsafe" help:"Cluster: accept a log that can lose what it acknowledged, like that of a single broker."`

	SASLMechanism string     `env:"KAFKA_SASL_MECHANISM" name:"kafka-sasl-mechanism" placeholder:"NAME" help:"Cluster: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, where the brokers ask who we are."`
	SASLUser      string     `env:"KAFKA_SASL_USERNAME" name:"kafka-sasl-username" placeholder:"NAME" help:"Cluster: name for the brokers."`
	SASLPassword  obs.Secret `env:"KAFKA_SASL_PASSWORD" name:"kafka-sasl-password" placeholder:"SECRET" help:"Cluster: password for the brokers."`
	TLS           bool       `env:"KAFKA_TLS" name:"kafka-tls" help:"Cluster: speak TLS with the brokers."`
	TLSCA         string     `env:"KAFKA_TLS_CA" name:"kafka-tls-ca" placeholder:"FILE" help:"Cluster: certificates that sign those of the brokers; without it the system's."`
	TLSCert       string     `env:"KAFKA_TLS_CERT" name:"kafka-tls-cert" placeholder:"FILE" help:"Cluster: our own certificate for the brokers."`
	TLSKey        string     `env:"KAFKA_TLS_KEY" name:"kafka-tls-key" placeholder:"FILE" help:"Cluster: the key of that certificate."`
}

// The roles.
const (
	roleGateway   = "gateway"
	roleSequencer = "sequencer"
	roleSentiment = "sentiment"
)

const (
	// redisPrefix begins every name in Redis.
	redisPrefix = "hive:"
	// checkPatience is how long a log may take to look as it should: a topic that has just been made is not known to every
	// broker at once.
	checkPatience = 10 * time.Second
	// storeBatchMax bounds what one transaction stores: it and its messages are in memory as a whole.
	storeBatchMax = 10_000
	// flushDelay lets commands that are given at nearly the same moment travel to Redis in one write.
	flushDelay = 20 * time.Microsecond
)

// on reports whether the server is one of a cluster.
func (c Cluster) on() bool { return !c.DatabaseURL.IsZero() }

// has reports whether this server has a role. Alone it has all.
func (c Cluster) has(role string) bool { return !c.on() || slices.Contains(c.Roles, role) }

// lookEvery is how often gateways compare their rooms with the store though all is well. In one process there is no need.
func (c Cluster) lookEvery() time.Duration {
	if !c.on() {
		return 0
	}
	return 10 * time.Second
}

func (c Cluster) rows() []row {
	database, brokers, redis := c.DatabaseURL.IsZero(), len(c.Brokers) == 0, c.RedisURL.IsZero()
	none := database && brokers && redis
	missing := func(is bool, what string) string {
		if none || !is {
			return ""
		}
		return "is missing: a cluster needs " + what + " beside what you have named; name all three of DATABASE_URL, KAFKA_BROKER_URL and REDIS_URL, or none to run alone"
	}
	rows := []row{
		{"database-url", "DATABASE_URL", missing(database, "a PostgreSQL database to store what was said")},
		{"kafka-broker-url", "KAFKA_BROKER_URL", missing(brokers, "Kafka to keep the log")},
		{"redis-url", "REDIS_URL", missing(redis, "Redis to carry events between servers")},
	}
	if none {
		return rows
	}
	return append(rows,
		row{"database-url", "DATABASE_URL", setting.URL(c.DatabaseURL, "postgres://user:password@host/name", "postgres", "postgresql")},
		row{"redis-url", "REDIS_URL", setting.URL(c.RedisURL, "redis://host:6379", "redis", "rediss", "unix")},
		row{"kafka-broker-url", "KAFKA_BROKER_URL", setting.First(c.Brokers, setting.Broker)},
		row{"roles", "ROLES", wrongRoles(c.Roles)},
		row{"store-batch", "STORE_BATCH", setting.Count(c.StoreBatch, storeBatchMax)},
		row{"kafka-partitions", "KAFKA_PARTITIONS", setting.Count(c.Partitions, 1000)},
		row{"kafka-replication", "KAFKA_REPLICATION", setting.Count(c.Replication, 100)},
		row{"kafka-sasl-mechanism", "KAFKA_SASL_MECHANISM", wrongMechanism(c.SASLMechanism)},
	)
}

func wrongRoles(roles []string) string {
	known := []string{roleGateway, roleSequencer, roleSentiment}
	for _, role := range roles {
		if !slices.Contains(known, role) {
			return fmt.Sprintf("has %q: give some of %s", role, strings.Join(known, ", "))
		}
	}
	if len(roles) == 0 {
		return "is empty: give some of " + strings.Join(known, ", ")
	}
	return ""
}

func wrongMechanism(given string) string {
	if given == "" {
		return ""
	}
	return setting.Word(given, kafka.SASLPlain, kafka.SASLScramSHA256, kafka.SASLScramSHA512)
}

func (c Cluster) postgres() postgres.Options {
	return postgres.Options{URL: c.DatabaseURL.Reveal(), Commits: c.DatabaseCommits, Reads: c.DatabaseReads}
}

// migrate brings the database and the log to what this version needs. The database goes on with another log only if that is wanted.
func (c Cluster) migrate(ctx context.Context, p *Process, newLog bool) (err error) {
	applied, err := postgres.Migrate(ctx, c.DatabaseURL.Reveal())
	if err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	for _, name := range applied {
		fmt.Fprintf(p.Out, "Applied %s to the database.\n", name)
	}
	log, err := obs.NewLogger(p.Err, "text", "info")
	if err != nil {
		return err
	}
	store, err := postgres.Open(ctx, c.postgres())
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	options := c.kafka(prometheus.NewRegistry(), log)
	if !newLog {
		if options.Known, err = store.Log(ctx); err != nil {
			return err
		}
	}
	if err := kafka.Migrate(ctx, options); err != nil {
		return fmt.Errorf("migrate the log: %w", err)
	}
	id, err := kafka.ID(ctx, options)
	if err != nil {
		return fmt.Errorf("migrate the log: %w", err)
	}
	if err := store.TakeLog(ctx, id); err != nil {
		return err
	}
	fmt.Fprintln(p.Out, "The database and the log are up to date.")
	return nil
}

func (c Cluster) kafka(registry prometheus.Registerer, log *slog.Logger) kafka.Options {
	return kafka.Options{
		Brokers: c.Brokers, Partitions: c.Partitions, Replication: c.Replication, AllowUnsafe: c.AllowUnsafe, RunRecordsMax: c.StoreBatch,
		TLS:    kafka.TLS{Enabled: c.TLS, CAFile: c.TLSCA, CertFile: c.TLSCert, KeyFile: c.TLSKey},
		SASL:   kafka.SASL{Mechanism: c.SASLMechanism, User: c.SASLUser, Password: c.SASLPassword},
		Encode: wire.EncodeRecord, Decode: wire.DecodeRecord, Registry: registry, Logger: log,
	}
}

func (c Cluster) redis(registry prometheus.Registerer, log *slog.Logger) redis.Options {
	return redis.Options{
		URL: c.RedisURL.Reveal(), Prefix: redisPrefix, EncodeEvent: wire.EncodeEvent, DecodeEvent: wire.DecodeEvent,
		FlushDelay: flushDelay, Registry: registry, Log: log,
	}
}

// openCluster opens what a cluster shares: the database, the log and the bus.
func (s *Server) openCluster(ctx context.Context) error {
	c := s.config.Cluster
	store, err := postgres.Open(ctx, c.postgres())
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	s.stack.Push("store", drainPatience, func(context.Context) error { return store.Close() })
	s.registry.MustRegister(store.BackupMetric())
	if err := store.CheckWhole(ctx); err != nil {
		return fmt.Errorf("look at what the database was made of: %w", err)
	}
	client, err := redis.Open(ctx, c.redis(s.registry, s.log))
	if err != nil {
		return fmt.Errorf("open the bus: %w", err)
	}
	s.stack.Push("bus", stopPatience, func(context.Context) error {
		client.Close()
		return nil
	})
	log, err := kafka.Open(ctx, c.kafka(s.registry, s.log))
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	s.stack.Push("log", drainPatience, func(context.Context) error { return log.Stop() })
	checking, cancel := context.WithTimeout(ctx, checkPatience)
	defer cancel()
	if err := run.Retry(checking, run.Backoff{First: 100 * time.Millisecond, Max: time.Second}, log.Check); err != nil {
		return fmt.Errorf("check the log: %w", err)
	}
	id, _, err := log.Extents(ctx)
	if err == nil {
		err = store.CheckLog(ctx, id)
	}
	if err != nil {
		return fmt.Errorf("check whose log it is: %w", err)
	}
	bus := redis.NewBus(client)
	s.store, s.reads = store, recent.New(store, bus)
	s.queue, s.bus = log, bus
	s.texts = func() (mood.Texts, error) { return s.openTexts(c.kafka(s.registry, s.log)) }
	s.limiter, s.online = redis.NewLimiter(client, memory.NewLimiter(time.Now)), redis.NewPresence(client)
	return nil
}

// openLog opens the log for a command. Stop must be called.
func (c Cluster) openLog(ctx context.Context) (log *kafka.Log, err error) {
	if log, err = kafka.Open(ctx, c.kafka(prometheus.NewRegistry(), slog.New(slog.DiscardHandler))); err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	return log, nil
}

// keep lets what a cluster has stored be copied, or checked also against the log.
func (c Cluster) keep(ctx context.Context, p *Process, act func(ctx context.Context, keeper keeper) error) (err error) {
	store, err := postgres.Open(ctx, c.postgres())
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return act(ctx, storeKeeper{store, p.Version, func(ctx context.Context, report func(string)) (records int64, err error) {
		log, err := c.openLog(ctx)
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, log.Stop()) }()
		return archive.Agree(ctx, log, store, report)
	}})
}

// operateCluster lets orders be carried out on the database, and tells every server.
func (d Data) operateCluster(ctx context.Context, orders func(ctx context.Context, operator operator) error) error {
	log := slog.New(slog.DiscardHandler)
	store, err := d.openStore(ctx)
	if err != nil {
		return err
	}
	client, err := redis.Open(ctx, d.Cluster.redis(prometheus.NewRegistry(), log))
	if err != nil {
		return errors.Join(fmt.Errorf("open the bus: %w", err), store.Close())
	}
	defer client.Close()
	accounts, err := newAccounts(account.DefaultConfig(), store, redis.NewBus(client), memory.NewLimiter(time.Now), nil, log)
	if err == nil {
		err = orders(ctx, accountOperator{accounts, store})
	}
	return errors.Join(err, store.Close())
}
