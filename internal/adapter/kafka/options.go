package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/obs"
)

// The names of the topics and of the groups, of those who number and of those who read moods, where nothing else is said.
const (
	TopicDefault           = "room-events"
	DeadLetterTopicDefault = "room-events-dead"
	GroupDefault           = "blabber-hive-sequencer"
	MoodGroupDefault       = "blabber-hive-mood"
)

const (
	// sessionMax is after what silence a member of the group is taken for dead. It is the least that brokers allow as they
	// come (group.min.session.timeout.ms): a killed owner is replaced within 8 s.
	sessionMax = 6 * time.Second
	// heartbeatEvery is how often a member asks whether anything has changed, and so the most that a handover waits for.
	heartbeatEvery = 300 * time.Millisecond
	// letGoMax is how long a work may take to return when its partition is given away.
	letGoMax = 5 * time.Second
	// rebalanceMax is how long the group waits for a member that lets go, before it goes on without it.
	rebalanceMax = letGoMax + 10*time.Second

	// deliveryMax is when a record that was not acknowledged is given up. A broker that does not answer at all is noticed
	// when its request times out, so giving up may take until then.
	deliveryMax = 5 * time.Second
	// produceRequestMax is how long a broker may wait for the replicas of a record.
	produceRequestMax = 3 * time.Second
	// requestOverheadMax is what a request may take beyond that before its connection is given up.
	requestOverheadMax = 3 * time.Second
	dialMax            = 2 * time.Second

	// lingerDefault lets what is sent at nearly the same moment travel together, see docs/decisions/0010.
	lingerDefault = time.Millisecond
	// bufferBytesMax bounds what was appended and is not acknowledged.
	bufferBytesMax = 32 << 20
	// bufferRecordBytes is what a record costs in the buffer beside its own bytes, which bounds their number too.
	bufferRecordBytes = 512

	// metadataAgeMin bounds how often a client asks who leads what. Kafka tells of a failed leader within a second or so;
	// as they come, clients would ask only every 5 s.
	metadataAgeMin = 250 * time.Millisecond
	// retryMax bounds the waits between attempts at something that failed.
	retryMax = 500 * time.Millisecond
)

// Options say where the log is and how to use it.
type Options struct {
	// Brokers are some of the cluster's, host:port each.
	Brokers []string
	// ClientID is what brokers call us in their logs and metrics.
	ClientID string
	// Topic, DeadLetterTopic, Group and MoodGroup are as above where they are empty.
	Topic, DeadLetterTopic, Group, MoodGroup string
	TLS                                      TLS
	SASL                                     SASL
	// Partitions and Replication are for Migrate. Zero: PartitionsDefault where there is no topic yet, and
	// ReplicationSafe.
	Partitions, Replication int
	// Known is the id of the log that is to be there, for Migrate; empty where any will do.
	Known string
	// AllowUnsafe accepts a log that can lose what it has acknowledged, and has that logged.
	AllowUnsafe bool
	// Encode and Decode are how a record stands in the log.
	Encode func(*chat.Record) ([]byte, error)
	Decode func([]byte) (*chat.Record, error)
	// RunRecordsMax is how many records one run may hold; RunRecordsDefault where it is zero.
	RunRecordsMax int
	// Linger is how long the first record of a batch waits for others; zero: a millisecond.
	Linger   time.Duration
	Registry prometheus.Registerer
	Logger   *slog.Logger

	library *logger // for all clients, which say the same
}

// RunRecordsDefault is how many records a run holds at most, unless told otherwise.
const RunRecordsDefault = 1024

// TLS says how connections are encrypted.
type TLS struct {
	Enabled bool
	// CAFile holds the certificates that sign those of the brokers; the system's where it is empty.
	CAFile string
	// CertFile and KeyFile are our own certificate, for brokers that ask for one.
	CertFile, KeyFile string
	// ServerName is what the brokers' certificates are for, where that is not their address.
	ServerName string
}

// The ways of signing in.
const (
	SASLPlain       = "PLAIN"
	SASLScramSHA256 = "SCRAM-SHA-256"
	SASLScramSHA512 = "SCRAM-SHA-512"
)

// SASL says as whom we sign in.
type SASL struct {
	// Mechanism is one of the above; empty: nobody.
	Mechanism string
	User      string
	Password  obs.Secret
}

// filled are the options with defaults in place.
func (o Options) filled() Options {
	if o.Topic == "" {
		o.Topic = TopicDefault
	}
	if o.DeadLetterTopic == "" {
		o.DeadLetterTopic = DeadLetterTopicDefault
	}
	if o.Group == "" {
		o.Group = GroupDefault
	}
	if o.MoodGroup == "" {
		o.MoodGroup = MoodGroupDefault
	}
	if o.ClientID == "" {
		o.ClientID = "blabber-hive"
	}
	if o.RunRecordsMax == 0 {
		o.RunRecordsMax = RunRecordsDefault
	}
	o.library = newLogger(o.Logger)
	if o.Linger == 0 {
		o.Linger = lingerDefault
	}
	return o
}

// client are the options that all our clients share.
func (o Options) client() ([]kgo.Opt, error) {
	if len(o.Brokers) == 0 {
		return nil, errors.New("no Kafka broker is named")
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(o.Brokers...),
		kgo.ClientID(o.ClientID),
		kgo.SoftwareNameAndVersion("blabber-hive", "1"),
		kgo.WithLogger(o.library),
		kgo.DisableClientMetrics(), // nobody asked to have ours sent to the brokers
		kgo.DialTimeout(dialMax),
		kgo.RequestTimeoutOverhead(requestOverheadMax),
		kgo.MetadataMinAge(metadataAgeMin),
		kgo.RetryBackoffFn(backoff),
	}
	encryption, err := o.TLS.config()
	if err != nil {
		return nil, err
	}
	if encryption != nil {
		options = append(options, kgo.DialTLSConfig(encryption))
	}
	mechanism, err := o.SASL.mechanism()
	if err != nil {
		return nil, err
	}
	if mechanism != nil {
		options = append(options, kgo.SASL(mechanism))
	}
	return options, nil
}

// backoff is short: brokers come back or are replaced within seconds, and a sender waits.
func backoff(failures int) time.Duration {
	return min(retryMax, 25*time.Millisecond<<min(failures, 8))
}

func (t TLS) config() (*tls.Config, error) {
	if !t.Enabled {
		if t != (TLS{}) {
			return nil, errors.New("certificates for Kafka are named, but TLS is off")
		}
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read the certificate authorities of Kafka: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate in PEM", t.CAFile)
		}
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		return nil, errors.New("a certificate for Kafka needs its key, and a key its certificate")
	}
	if t.CertFile != "" {
		certificate, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("read our certificate for Kafka: %w", err)
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	return config, nil
}

func (s SASL) mechanism() (sasl.Mechanism, error) {
	switch s.Mechanism {
	case "":
		if s.User != "" {
			return nil, errors.New("a user for Kafka is named, but no SASL mechanism")
		}
		return nil, nil
	case SASLPlain:
		return plain.Auth{User: s.User, Pass: s.Password.Reveal()}.AsMechanism(), nil
	case SASLScramSHA256:
		return scram.Auth{User: s.User, Pass: s.Password.Reveal()}.AsSha256Mechanism(), nil
	case SASLScramSHA512:
		return scram.Auth{User: s.User, Pass: s.Password.Reveal()}.AsSha512Mechanism(), nil
	}
	return nil, fmt.Errorf("SASL mechanism %q is not known: take %s, %s or %s", s.Mechanism, SASLPlain, SASLScramSHA256, SASLScramSHA512)
}
