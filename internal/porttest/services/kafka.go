package services

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/blabber-hive/blabber-hive/internal/run"
)

// kafkaHeapMiB is what one broker may keep on its heap: enough for tests, and three of them fit on a small machine.
const kafkaHeapMiB = 256

// KafkaCluster is one cluster. Each broker is a controller too, as in a small cluster of one's own.
type KafkaCluster struct {
	// URL names all brokers, as KAFKA_BROKER_URL does: host:port,host:port,…
	URL     string
	Brokers []*Instance
}

// StartKafka starts a cluster of one broker or three. settings override those of the brokers.
//
// A single broker writes each record to the disk before it acknowledges it, since there is no other one to have it; three
// keep what is asked for: topics with three replicas.
func (f *Folder) StartKafka(ctx context.Context, brokers int, settings map[string]string) (*KafkaCluster, error) {
	java, libraries, err := kafkaLibraries(ctx)
	if err != nil {
		return nil, err
	}
	cluster := &KafkaCluster{}
	members := make([]kafkaMember, brokers)
	var voters, seeds []string
	for i := range members {
		m := &members[i]
		m.id, m.java, m.libraries = i+1, java, libraries
		if m.dir, err = f.sub("kafka-" + strconv.Itoa(m.id)); err != nil {
			return nil, err
		}
		if m.port, err = freePort(ctx); err != nil {
			return nil, err
		}
		if m.controllerPort, err = freePort(ctx); err != nil {
			return nil, err
		}
		voters = append(voters, fmt.Sprintf("%d@%s", m.id, loopback(m.controllerPort)))
		seeds = append(seeds, loopback(m.port))
	}
	cluster.URL = strings.Join(seeds, ",")
	name := kafkaID()
	starting := run.NewGroup(ctx)
	cluster.Brokers = make([]*Instance, brokers)
	for i := range members {
		cluster.Brokers[i] = members[i].instance()
		starting.Go("broker "+strconv.Itoa(i+1), func(ctx context.Context) error {
			if err := members[i].format(ctx, name, members[i].config(strings.Join(voters, ","), brokers, settings)); err != nil {
				return err
			}
			return f.launch(ctx, cluster.Brokers[i])
		})
	}
	if err := starting.Wait(); err != nil {
		return nil, err
	}
	return cluster, cluster.Ready(ctx)
}

// Ready waits until each broker knows of all others and can be asked for groups.
func (k *KafkaCluster) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	for _, broker := range k.Brokers {
		err := run.Retry(ctx, readyBackoff(), func(ctx context.Context) error {
			known, err := brokersKnownTo(ctx, broker.URL)
			if err == nil && len(known) < len(k.Brokers) {
				err = fmt.Errorf("it knows of %d brokers of %d", len(known), len(k.Brokers))
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("wait for %s: %w\n%s", broker.name, err, tail(broker.Log))
		}
	}
	return nil
}

// Kill kills all brokers.
func (k *KafkaCluster) Kill() {
	for _, broker := range k.Brokers {
		broker.Kill()
	}
}

// Start starts all brokers again, together: one alone is not enough to be a cluster.
func (k *KafkaCluster) Start(ctx context.Context) error {
	starting := run.NewGroup(ctx)
	for _, broker := range k.Brokers {
		starting.Go(broker.name, broker.Start)
	}
	if err := starting.Wait(); err != nil {
		return err
	}
	return k.Ready(ctx)
}

type kafkaMember struct {
	id, port, controllerPort   int
	dir, java, libraries, conf string
}

func (m *kafkaMember) config(voters string, brokers int, settings map[string]string) string {
	replicas := strconv.Itoa(min(brokers, 3))
	inSync := strconv.Itoa(min(brokers, 2))
	all := map[string]string{
		"process.roles": "broker,controller", "node.id": strconv.Itoa(m.id), "controller.quorum.voters": voters,
		"listeners":                      "PLAINTEXT://" + loopback(m.port) + ",CONTROLLER://" + loopback(m.controllerPort),
		"advertised.listeners":           "PLAINTEXT://" + loopback(m.port),
		"controller.listener.names":      "CONTROLLER",
		"listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
		"log.dirs":                       filepath.Join(m.dir, "data"),
		"auto.create.topics.enable":      "false",

		// Kafka's own topics: as safe as the cluster allows, and small.
		"offsets.topic.replication.factor": replicas, "offsets.topic.num.partitions": "3",
		"transaction.state.log.replication.factor": replicas, "transaction.state.log.min.isr": inSync, "transaction.state.log.num.partitions": "3",
		"share.coordinator.state.topic.replication.factor": replicas, "share.coordinator.state.topic.min.isr": inSync,

		"group.initial.rebalance.delay.ms": "0", // the first member of a test need not wait for company
	}
	if brokers == 1 {
		all["log.flush.interval.messages"] = "1"
	}
	maps.Copy(all, settings)
	var config strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&config, "%s=%s\n", name, all[name])
	}
	return config.String()
}

// format writes the configuration and has Kafka's own tool prepare the folder.
func (m *kafkaMember) format(ctx context.Context, cluster, config string) error {
	if err := os.WriteFile(m.conf, []byte(config), 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, m.java, "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", m.libraries, //nolint:gosec // Kafka's own
		"kafka.tools.StorageTool", "format", "--cluster-id", cluster, "--config", m.conf)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("format the storage: %w\n%s", err, output)
	}
	return nil
}

func (m *kafkaMember) instance() *Instance {
	m.conf = filepath.Join(m.dir, "server.properties")
	in := &Instance{
		URL: loopback(m.port), name: "Kafka broker " + strconv.Itoa(m.id), dir: m.dir, end: syscall.SIGTERM, drop: syscall.SIGKILL,
		command: []string{
			// Only the first compiler of the two: a broker's start takes 3.8 s of CPU instead of 7.1 s.
			m.java, "-Xmx" + strconv.Itoa(kafkaHeapMiB) + "m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
			"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", m.libraries, "kafka.Kafka", m.conf,
		},
	}
	in.ready = func(ctx context.Context) error {
		known, err := brokersKnownTo(ctx, in.URL)
		if err == nil && !slices.Contains(known, int32(m.id)) {
			err = errors.New("it is not yet part of the cluster")
		}
		return err
	}
	return in
}

// kafkaID is what Kafka calls a cluster: 16 bytes that look like nothing.
func kafkaID() string {
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	id[0] &= 0x7f // an id that starts with a dash would look like an option
	return base64.RawURLEncoding.EncodeToString(id)
}

// brokersKnownTo asks one broker for the members of its cluster.
func brokersKnownTo(ctx context.Context, address string) ([]int32, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.RequestRetries(0), kgo.RetryTimeout(time.Second))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = []kmsg.MetadataRequestTopic{} // none: nil would be all
	answer, err := request.RequestWith(ctx, client.SeedBrokers()[0])
	if err != nil {
		return nil, err
	}
	ids := make([]int32, len(answer.Brokers))
	for i, broker := range answer.Brokers {
		ids[i] = broker.NodeID
	}
	return ids, nil
}
