// Package cluster is a cluster's real services for the benchmarks, and what can be done with them without a server: the bare
// ways beside which the server's figures stand.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/adapter/kafka"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres"
	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
	"github.com/blabber-hive/blabber-hive/internal/run"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// Services are PostgreSQL and Redis as they come, and Kafka, migrated by the binary that is measured. Close must be called.
type Services struct {
	Postgres *services.Instance
	Store    *postgres.Store
	// Promise is what Kafka has done when it acknowledges.
	Promise string

	binary  string
	folder  *services.Folder
	redis   *services.Instance
	kafka   *services.KafkaCluster
	brokers int
}

// Open starts them, with one broker or three.
func Open(ctx context.Context, binary string, brokers int) (c *Services, err error) {
	folder, err := services.Open()
	if err != nil {
		return nil, err
	}
	c = &Services{binary: binary, folder: folder, brokers: brokers, Promise: fmt.Sprintf("%d brokers, which keep each record thrice in memory", brokers)}
	if brokers == 1 {
		c.Promise = "one broker, which writes each record to the disk"
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	starting := run.NewGroup(ctx)
	starting.Go("PostgreSQL", func(ctx context.Context) (err error) {
		c.Postgres, err = folder.StartPostgres(ctx, nil)
		return err
	})
	starting.Go("Redis", func(ctx context.Context) (err error) {
		c.redis, err = folder.StartRedis(ctx, nil)
		return err
	})
	starting.Go("Kafka", func(ctx context.Context) (err error) {
		c.kafka, err = folder.StartKafka(ctx, brokers, nil)
		return err
	})
	if err := starting.Wait(); err != nil {
		return nil, err
	}
	if err := c.Command(ctx, "migrate"); err != nil {
		return nil, err
	}
	c.Store, err = postgres.Open(ctx, postgres.Options{URL: c.Postgres.URL})
	return c, err
}

// Close ends the services and deletes what they wrote.
func (c *Services) Close() error {
	var err error
	if c.Store != nil {
		err = c.Store.Close()
	}
	return errors.Join(err, c.folder.Close())
}

// Env is the variables by which a server finds the services.
func (c *Services) Env() []string {
	return []string{
		"DATABASE_URL=" + c.Postgres.URL, "REDIS_URL=" + c.redis.URL, "KAFKA_BROKER_URL=" + c.kafka.URL,
		"KAFKA_REPLICATION=" + strconv.Itoa(c.brokers), "KAFKA_ALLOW_UNSAFE=1",
	}
}

// StartSentiment starts the model server of this repository, and answers where it is.
func (c *Services) StartSentiment(ctx context.Context) (url string, err error) {
	model, err := c.folder.StartSentiment(ctx)
	if err != nil {
		return "", err
	}
	return model.URL, nil
}

// Command runs one of the binary's own commands.
func (c *Services) Command(ctx context.Context, word string) error {
	cmd := exec.CommandContext(ctx, c.binary, word) //nolint:gosec // whoever runs this names the binary
	cmd.Env = append(cmd.Environ(), c.Env()...)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", word, err, output)
	}
	return nil
}

// Stored is how many records of the log the database has.
func (c *Services) Stored(ctx context.Context) (int, error) {
	total := 0
	for partition := range kafka.PartitionsDefault {
		offset, err := c.Store.Position(ctx, partition)
		if err != nil {
			return 0, err
		}
		total += int(offset)
	}
	return total, nil
}

// log is how we reach the log of the servers.
func (c *Services) log() kafka.Options {
	return kafka.Options{
		Brokers: strings.Split(c.kafka.URL, ","), Replication: c.brokers, AllowUnsafe: true,
		Encode: wire.EncodeRecord, Decode: wire.DecodeRecord, Registry: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler),
	}
}
