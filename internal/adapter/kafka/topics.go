package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

const (
	// PartitionsDefault is how many parts the rooms are spread over, and so how many processes can share the numbering.
	PartitionsDefault = 12
	// ReplicationSafe is how many replicas it takes to lose one and still have two that agree.
	ReplicationSafe = 3
	// inSyncSafe is how many replicas must have a record before it is acknowledged.
	inSyncSafe = 2

	minInSync     = "min.insync.replicas"
	flushMessages = "flush.messages"
	uncleanLeader = "unclean.leader.election.enable"
)

// Migrate makes the topics, or sees that those that are there will do. It never changes how many partitions there are. Where the
// log is known, nothing is made in its place.
func Migrate(ctx context.Context, options Options) error {
	options = options.filled()
	admin, done, err := options.admin()
	if err != nil {
		return err
	}
	defer done()
	brokers, err := admin.ListBrokers(ctx)
	if err != nil {
		return fmt.Errorf("ask Kafka for its brokers: %w", err)
	}
	if options.Known != "" {
		switch id, err := options.id(ctx, admin); {
		case err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition):
			return err
		case id != options.Known:
			return chat.Refuse(chat.Conflict, "topic %s is not the log that the database is stored from: that is %s, and this is %s; bring that one back, "+
				"or if it is lost, stop all servers, empty Redis, and run 'migrate --new-log'", options.Topic, options.Known, cmp.Or(id, "not there"))
		}
	}
	for _, topic := range []string{options.Topic, options.DeadLetterTopic} {
		if err := options.migrate(ctx, admin, topic, len(brokers)); err != nil {
			return err
		}
	}
	return nil
}

// ID is the log's: one that was deleted and made again has another.
func ID(ctx context.Context, options Options) (id string, err error) {
	options = options.filled()
	admin, done, err := options.admin()
	if err != nil {
		return "", err
	}
	defer done()
	return options.id(ctx, admin)
}

func (o Options) id(ctx context.Context, admin *kadm.Client) (string, error) {
	there, err := askTopic(ctx, admin, o.Topic)
	if err != nil {
		return "", err
	}
	return there.ID.String(), nil
}

// askTopic is what the brokers say of a topic, or kerr.UnknownTopicOrPartition.
func askTopic(ctx context.Context, admin *kadm.Client, topic string) (kadm.TopicDetail, error) {
	topics, err := admin.ListTopics(ctx, topic)
	there := topics[topic]
	if err == nil {
		err = there.Err
	}
	if err != nil {
		return kadm.TopicDetail{}, fmt.Errorf("ask Kafka for topic %s: %w", topic, err)
	}
	return there, nil
}

// migratedTopic is likewise, and says what to do where there is none.
func migratedTopic(ctx context.Context, admin *kadm.Client, topic string) (kadm.TopicDetail, error) {
	there, err := askTopic(ctx, admin, topic)
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		return there, fmt.Errorf("Kafka has no topic %s: run blabber-hive migrate first", topic) //nolint:staticcheck // a name
	}
	return there, err
}

func (o Options) admin() (admin *kadm.Client, done func(), err error) {
	common, err := o.client()
	if err != nil {
		return nil, nil, err
	}
	client, err := kgo.NewClient(common...)
	if err != nil {
		return nil, nil, fmt.Errorf("make a client of Kafka: %w", err)
	}
	return kadm.NewClient(client), client.Close, nil
}

func (o Options) migrate(ctx context.Context, admin *kadm.Client, topic string, brokers int) error {
	there, err := askTopic(ctx, admin, topic)
	switch {
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return o.create(ctx, admin, topic, brokers)
	case err != nil:
		return err
	case topic == o.Topic && o.Partitions != 0 && o.Partitions != len(there.Partitions):
		return fmt.Errorf("topic %s has %d partitions and KAFKA_PARTITIONS says %d: that number is never changed, because rooms would "+
			"move to other partitions and lose the order of their messages; set it to %d", topic, len(there.Partitions), o.Partitions, len(there.Partitions))
	}
	if there.Partitions.NumReplicas() < ReplicationSafe {
		return nil // Check says what to think of it
	}
	settings, err := settingsOf(ctx, admin, topic)
	if err != nil || settings.number(minInSync) >= inSyncSafe {
		return err
	}
	o.Logger.InfoContext(ctx, "kafka topic is made to wait for two replicas", "topic", topic)
	value := strconv.Itoa(inSyncSafe)
	answers, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: minInSync, Value: &value}}, topic)
	if err == nil {
		_, err = answers.On(topic, func(r *kadm.AlterConfigsResponse) error { return r.Err })
	}
	if err != nil {
		return fmt.Errorf("set %s of topic %s: %w", minInSync, topic, err)
	}
	return nil
}

func (o Options) create(ctx context.Context, admin *kadm.Client, topic string, brokers int) error {
	partitions, replication := o.Partitions, o.Replication
	if partitions == 0 {
		partitions = PartitionsDefault
	}
	if topic == o.DeadLetterTopic {
		partitions = 1
	}
	if replication == 0 {
		replication = min(ReplicationSafe, brokers)
	}
	if replication < ReplicationSafe && !o.AllowUnsafe {
		return fmt.Errorf("Kafka has %d brokers and topic %s would have %d replicas: a broker that dies could take acknowledged messages with it; "+ //nolint:staticcheck // a name
			"run at least %d brokers, or set KAFKA_ALLOW_UNSAFE=1", brokers, topic, replication, ReplicationSafe)
	}
	forever, no := "-1", "false"
	settings := map[string]*string{
		// The log is what the database can be rebuilt from.
		"retention.ms": &forever, "retention.bytes": &forever, "cleanup.policy": new("delete"),
		uncleanLeader: &no,
	}
	if replication >= ReplicationSafe {
		settings[minInSync] = new(strconv.Itoa(inSyncSafe))
	}
	if replication == 1 {
		settings[flushMessages] = new("1") // there is no other broker to have it
	}
	_, err := admin.CreateTopic(ctx, int32(partitions), int16(replication), settings, topic) //nolint:gosec // Kafka refuses what does not fit
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("make topic %s with %d partitions and %d replicas: %w", topic, partitions, replication, err)
	}
	o.Logger.InfoContext(ctx, "kafka topic is made", "topic", topic, "partitions", partitions, "replication", replication)
	return awaitTopic(ctx, admin, topic, partitions)
}

// madeMax is how long the brokers may take to learn of a new topic.
const madeMax = 30 * time.Second

// awaitTopic waits until the brokers know the topic: whoever is started next would be told that there is none.
func awaitTopic(ctx context.Context, admin *kadm.Client, topic string, partitions int) error {
	ctx, cancel := context.WithTimeout(ctx, madeMax)
	defer cancel()
	err := run.Retry(ctx, run.Backoff{First: 50 * time.Millisecond, Max: retryMax}, func(ctx context.Context) error {
		topics, err := admin.ListTopics(ctx, topic)
		if err != nil {
			return err
		}
		there := topics[topic]
		led := 0
		for _, partition := range there.Partitions {
			if partition.Leader >= 0 {
				led++
			}
		}
		if there.Err != nil || led < partitions {
			return fmt.Errorf("%d of %d partitions have a leader: %w", led, partitions, cmp.Or(there.Err, error(kerr.LeaderNotAvailable)))
		}
		_, err = settingsOf(ctx, admin, topic)
		return err
	})
	if err != nil {
		return fmt.Errorf("wait for topic %s to be known: %w", topic, err)
	}
	return nil
}

// Check refuses a log that can lose what it has acknowledged. AllowUnsafe has that logged instead.
func (l *Log) Check(ctx context.Context) error {
	admin := kadm.NewClient(l.producer)
	for _, topic := range []string{l.options.Topic, l.options.DeadLetterTopic} {
		there, err := migratedTopic(ctx, admin, topic)
		if err != nil {
			return err
		}
		if topic != l.options.Topic {
			continue // dead letters are copies
		}
		settings, err := settingsOf(ctx, admin, topic)
		if err != nil {
			return err
		}
		risks := risksOf(replicas(there), settings)
		if len(risks) == 0 {
			continue
		}
		if !l.options.AllowUnsafe {
			return fmt.Errorf("topic %s: %s; mend that, or set KAFKA_ALLOW_UNSAFE=1 to accept it", topic, strings.Join(risks, "; "))
		}
		for _, risk := range risks {
			l.logger.WarnContext(ctx, "KAFKA_ALLOW_UNSAFE: acknowledged messages can be lost", "topic", topic, "risk", risk)
		}
	}
	return nil
}

// replicas is how many the partition with the fewest has.
func replicas(topic kadm.TopicDetail) int {
	fewest := ReplicationSafe
	for _, partition := range topic.Partitions {
		fewest = min(fewest, len(partition.Replicas))
	}
	return fewest
}

// risksOf says, one sentence each, how acknowledged messages can be lost.
func risksOf(replicas int, settings settings) []string {
	var risks []string
	switch {
	case replicas == 1 && settings.number(flushMessages) == 1:
		risks = append(risks, "it has one replica: when its disk is lost, every message that is not yet in the database is lost")
	case replicas == 1:
		risks = append(risks, "it has one replica and flush.messages is not 1: when its broker's machine loses power, messages of the last moments are lost, "+
			"though they were acknowledged; set flush.messages=1")
	case replicas < ReplicationSafe:
		risks = append(risks, fmt.Sprintf("it has %d replicas: with one broker away, a second failure loses acknowledged messages; give it %d", replicas, ReplicationSafe))
	}
	if replicas > 1 && settings.number(minInSync) < inSyncSafe {
		risks = append(risks, fmt.Sprintf("%s is %d: a message can be acknowledged by one broker alone, and is lost with it; set it to %d", minInSync, settings.number(minInSync), inSyncSafe))
	}
	if settings[uncleanLeader] == "true" {
		risks = append(risks, uncleanLeader+" is true: a broker that missed acknowledged messages may become leader and drop them; set it to false")
	}
	return risks
}

// settings are those of a topic, with what it has from its brokers.
type settings map[string]string

func (s settings) number(name string) int64 {
	n, _ := strconv.ParseInt(s[name], 10, 64)
	return n
}

func settingsOf(ctx context.Context, admin *kadm.Client, topic string) (settings, error) {
	described, err := admin.DescribeTopicConfigs(ctx, topic)
	if err == nil {
		_, err = described.On(topic, func(r *kadm.ResourceConfig) error { return r.Err })
	}
	if err != nil {
		return nil, fmt.Errorf("ask Kafka for the settings of topic %s: %w", topic, err)
	}
	found := settings{}
	for _, resource := range described {
		for _, config := range resource.Configs {
			found[config.Key] = config.MaybeValue()
		}
	}
	return found, nil
}
