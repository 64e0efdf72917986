package services

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The variables that name running services.
const (
	DatabaseURL    = "DATABASE_URL"
	RedisURL       = "REDIS_URL"
	KafkaBrokerURL = "KAFKA_BROKER_URL"
)

// cleanPatience bounds what a test does to leave a shared service as it was.
const cleanPatience = 30 * time.Second

// shared is what the tests of one binary have in common. A test binary is one process with one main: the only place to
// keep it is here.
var shared struct {
	mu        sync.Mutex
	during    bool
	folder    *Folder
	postgres  service
	redis     service
	kafka     service
	templates map[string]*template
}

// service is one that the variable names, or that is started at its first use.
type service struct {
	once sync.Once
	url  string
	err  error
}

func (s *service) get(t testing.TB, variable string, start func(ctx context.Context, f *Folder) (string, error)) string {
	t.Helper()
	s.once.Do(func() {
		if s.url = os.Getenv(variable); s.url != "" {
			return
		}
		folder, err := sharedFolder()
		if err != nil {
			s.err = err
			return
		}
		// Not the test's context: the service outlives the test that happens to ask first.
		s.url, s.err = start(context.Background(), folder)
	})
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.url
}

func sharedFolder() (*Folder, error) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if !shared.during {
		return nil, errors.New("somebody must end the services: TestMain needs goleak.VerifyTestMain(services.During(m))")
	}
	if shared.folder != nil {
		return shared.folder, nil
	}
	var err error
	shared.folder, err = Open()
	return shared.folder, err
}

// Tests is the *testing.M of a TestMain.
type Tests interface{ Run() int }

// During is for TestMain: it runs the tests and then ends what they shared, before anybody looks for leaks:
//
//	func TestMain(m *testing.M) { goleak.VerifyTestMain(services.During(m)) }
func During(m Tests) Tests { return during{m} }

type during struct{ tests Tests }

// Run implements Tests.
func (d during) Run() (code int) {
	shared.mu.Lock()
	shared.during = true
	shared.mu.Unlock()
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), cleanPatience)
		defer cancel()
		dropTemplates(ctx)
		shared.mu.Lock()
		defer shared.mu.Unlock()
		if shared.folder != nil {
			if err := shared.folder.Close(); err != nil && code == 0 {
				code = 1
			}
		}
	}()
	return d.tests.Run()
}

// cleanContext is for cleaning up after a test, whose own context has ended by then.
func cleanContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), cleanPatience)
}

// RedisPlace is a test's own part of a shared Redis.
type RedisPlace struct {
	URL string
	// Prefix begins the name of every key and channel of the test: databases of Redis do not divide channels.
	Prefix string
}

// Redis gives the test a prefix of its own. Keys are left behind: in a Redis that is not the tests' own they should expire.
func Redis(t testing.TB) RedisPlace {
	t.Helper()
	address := shared.redis.get(t, RedisURL, func(ctx context.Context, f *Folder) (string, error) {
		in, err := f.StartRedis(ctx, nil)
		if err != nil {
			return "", err
		}
		return in.URL, nil
	})
	return RedisPlace{URL: address, Prefix: "test-" + token() + ":"}
}

// KafkaPlace is a test's own part of a shared Kafka.
type KafkaPlace struct {
	// URL names the brokers as KAFKA_BROKER_URL does.
	URL string
	// Prefix begins the name of every topic and group of the test.
	Prefix string
}

// Kafka gives the test a prefix of its own, below which topics go when the test ends.
func Kafka(t testing.TB) KafkaPlace {
	t.Helper()
	address := shared.kafka.get(t, KafkaBrokerURL, func(ctx context.Context, f *Folder) (string, error) {
		cluster, err := f.StartKafka(ctx, 1, nil)
		if err != nil {
			return "", err
		}
		return cluster.URL, nil
	})
	place := KafkaPlace{URL: address, Prefix: "test-" + token() + "-"}
	t.Cleanup(func() {
		ctx, cancel := cleanContext()
		defer cancel()
		if err := place.clean(ctx); err != nil {
			t.Error(err)
		}
	})
	return place
}

func (k KafkaPlace) clean(ctx context.Context) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(k.URL, ",")...))
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	topics, err := admin.ListTopics(ctx)
	if err != nil {
		return fmt.Errorf("list the topics of Kafka: %w", err)
	}
	var ours []string
	for _, name := range topics.Names() {
		if strings.HasPrefix(name, k.Prefix) {
			ours = append(ours, name)
		}
	}
	if len(ours) == 0 {
		return nil
	}
	if _, err := admin.DeleteTopics(ctx, ours...); err != nil {
		return fmt.Errorf("delete topics of Kafka: %w", err)
	}
	return nil
}
