package services

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// kafkaVersion is that of kafka.pom.xml, here for the name of the folder.
const kafkaVersion = "4.4.0"

// kafkaPOM lists Kafka's server for Maven, which finds all that it depends on.
//
//go:embed kafka.pom.xml
var kafkaPOM []byte

const kafkaMissing = "install the packages default-jre-headless and maven, or set KAFKA_BROKER_URL to running brokers"

// kafkaLibraries gives Java and the class path of Kafka, which Maven fetches into the user's cache the first time.
func kafkaLibraries(ctx context.Context) (java, classPath string, err error) {
	if java, err = exec.LookPath("java"); err != nil {
		return "", "", errors.New("Kafka needs Java 17 or newer: " + kafkaMissing)
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", "", err
	}
	cache := filepath.Join(base, "blabber-hive")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", "", err
	}
	libraries := filepath.Join(cache, "kafka-"+kafkaVersion)
	classPath = filepath.Join(libraries, "*")
	// Several test binaries start at the same time, and one of them fetches.
	lock, err := waitForLock(libraries + ".lock")
	if err != nil {
		return "", "", err
	}
	defer lock.Close()
	if _, err := os.Stat(libraries); err == nil {
		return java, classPath, nil
	}
	return java, classPath, fetchKafka(ctx, libraries)
}

// fetchKafka fills the folder, or leaves none.
func fetchKafka(ctx context.Context, libraries string) error {
	maven, err := exec.LookPath("mvn")
	if err != nil {
		return errors.New("Kafka is fetched by Maven, which is not installed: " + kafkaMissing)
	}
	fetched, err := os.MkdirTemp(filepath.Dir(libraries), "kafka-*.part")
	if err != nil {
		return err
	}
	defer os.RemoveAll(fetched)
	pom := filepath.Join(fetched, "pom.xml")
	if err := os.WriteFile(pom, kafkaPOM, 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, maven, "--quiet", "--batch-mode", "--file", pom, "dependency:copy-dependencies") //nolint:gosec // Maven
	cmd.Dir = fetched
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("fetch Kafka by Maven: %w\n%s", err, output)
	}
	return os.Rename(filepath.Join(fetched, "libraries"), libraries)
}
