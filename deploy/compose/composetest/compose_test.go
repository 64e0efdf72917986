package composetest_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/blabber-hive/blabber-hive/deploy/compose/composetest"
)

// root is the project's folder, seen from this one, where go test runs.
const root = "../../.."

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// filled is .env.example with what it asks for.
func filled() map[string]string {
	return map[string]string{"POSTGRES_PASSWORD": "one", "REDIS_PASSWORD": "two", "GRAFANA_PASSWORD": "three"}
}

// load reads compose files as Docker does. text stands for compose.yaml.
func load(ctx context.Context, text string, env map[string]string, profiles []string, more ...string) (*types.Project, error) {
	folder, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	files := []types.ConfigFile{{Filename: filepath.Join(folder, "compose.yaml"), Content: []byte(text)}}
	for _, name := range more {
		files = append(files, types.ConfigFile{Filename: filepath.Join(folder, name)})
	}
	return loader.LoadWithContext(ctx, types.ConfigDetails{WorkingDir: folder, ConfigFiles: files, Environment: env}, func(o *loader.Options) {
		o.Profiles = profiles
	})
}

// binary is blabber-hive, built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	folder, err := os.MkdirTemp("", "composetest-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	binary = filepath.Join(folder, "blabber-hive")
	build := exec.CommandContext(context.Background(), "go", "build", "-tags", "nomsgpack", "-trimpath", "-buildvcs=false", "-o", binary, "./cmd/blabber-hive")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build blabber-hive: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// variables are those that a command names in its help, and the secret that is no flag.
func variables(t *testing.T, command string) []string {
	t.Helper()
	help, err := exec.CommandContext(t.Context(), binary, command, "--help").CombinedOutput()
	if err != nil {
		t.Fatalf("%s --help: %v\n%s", command, err, help)
	}
	names := []string{"SUPABASE_JWT_SECRET", "SENTIMENT_URL"}
	for _, match := range regexp.MustCompile(`\(\$([A-Z_]+)\)`).FindAllStringSubmatch(regexp.MustCompile(`\s+`).ReplaceAllString(string(help), " "), -1) {
		names = append(names, match[1])
	}
	if len(names) < 10 {
		t.Fatalf("%s --help names only %v", command, names)
	}
	return names
}

func checker(t *testing.T) *composetest.Checker {
	t.Helper()
	return &composetest.Checker{
		Programs: composetest.Programs(variables(t, "serve"), variables(t, "migrate")),
		Texts: map[string][]string{
			"nginx":      {read(t, "deploy/compose/nginx/place.conf")},
			"prometheus": {read(t, "deploy/compose/prometheus/prometheus.yml"), read(t, "deploy/compose/prometheus/targets/machine.yml")},
			"grafana":    {read(t, "deploy/compose/grafana/provisioning/datasources/prometheus.yaml")},
		},
	}
}

// Promise: with every profile, each port, volume, health check, dependency and variable is used by the program it is given to.
func TestProject(t *testing.T) {
	t.Parallel()
	text := read(t, "compose.yaml")
	for name, tc := range map[string]struct {
		profiles, more []string
		services       []string
	}{
		"as it is": {services: []string{
			"blabber-hive", "broker", "fastapi", "grafana", "kafka-exporter", "kafka-setup", "nginx", "node-exporter", "postgres", "postgres-exporter", "prometheus", "redis", "redis-exporter",
		}},
		"with a sign-in service": {profiles: []string{"supabase"}, services: []string{
			"blabber-hive", "broker", "fastapi", "grafana", "kafka-exporter", "kafka-setup", "nginx", "node-exporter", "postgres", "postgres-exporter", "prometheus", "redis", "redis-exporter",
			"supabase-auth", "supabase-setup",
		}},
		"with TLS": {more: []string{"deploy/compose/tls.yaml"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := filled()
			env["TLS_FOLDER"] = t.TempDir()
			project, err := load(t.Context(), text, env, tc.profiles, tc.more...)
			if err != nil {
				t.Fatal(err)
			}
			if names := slices.Sorted(maps.Keys(project.Services)); tc.services != nil && !slices.Equal(names, tc.services) {
				t.Errorf("the services are %v, want %v", names, tc.services)
			}
			for _, problem := range checker(t).Check(project) {
				t.Error(problem)
			}
		})
	}
}

// Promise: blabber-hive accepts the configuration that compose gives it, with every way to sign in.
func TestConfigurationIsAccepted(t *testing.T) {
	t.Parallel()
	for name, more := range map[string]map[string]string{
		"accounts of its own": {},
		"a sign-in service": {
			"PUBLIC_URL": "http://hive.localhost:8001", "SUPABASE_URL": "http://hive.localhost:8001", "SUPABASE_ANON_KEY": "anybody",
			"SUPABASE_JWT_SECRET": strings.Repeat("ab", 32),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := filled()
			maps.Copy(env, more)
			project, err := load(t.Context(), read(t, "compose.yaml"), env, []string{"supabase"})
			if err != nil {
				t.Fatal(err)
			}
			for service, command := range map[string]string{"blabber-hive": "serve", "kafka-setup": "migrate"} {
				// With one thing that is wrong it says so and of nothing else, and tries nothing.
				process := exec.CommandContext(t.Context(), binary, command)
				process.Env = []string{"DATA_DIR= "}
				for name, value := range project.Services[service].Environment {
					if value != nil && name != "DATA_DIR" {
						process.Env = append(process.Env, name+"="+*value)
					}
				}
				out, err := process.CombinedOutput()
				exit, ok := errors.AsType[*exec.ExitError](err)
				said, _, _ := strings.Cut(string(out), "blabber-hive --help")
				if !ok || exit.ExitCode() != 2 || strings.TrimSpace(said) != "blabber-hive: --data-dir (DATA_DIR) is empty: name a folder, like ./data" {
					t.Errorf("%s ends with %v, saying\n%s", command, err, out)
				}
			}
		})
	}
}

// Promise: nothing starts without its secrets, and a sentence says which is missing.
func TestSecretsAreAskedFor(t *testing.T) {
	t.Parallel()
	for secret := range filled() {
		for _, given := range []string{"missing", "empty"} {
			env := filled()
			delete(env, secret)
			if given == "empty" {
				env[secret] = ""
			}
			_, err := load(t.Context(), read(t, "compose.yaml"), env, nil)
			if err == nil || !strings.Contains(err.Error(), secret+" is missing") {
				t.Errorf("with %s %s: %v", secret, given, err)
			}
		}
	}
}

// Promise: .env.example has every variable that compose asks for, and none besides, each explained, with compose's own default
// and without any secret.
func TestEnvExample(t *testing.T) {
	t.Parallel()
	const elsewhere = "COMPOSE_PROFILES" // Docker's own
	asked := map[string]string{elsewhere: ""}
	for _, match := range regexp.MustCompile(`\$\{([A-Z_]+)(?::[-?]([^}]*))?\}`).FindAllStringSubmatch(read(t, "compose.yaml")+read(t, "deploy/compose/tls.yaml"), -1) {
		if fallback, known := asked[match[1]]; !known || fallback == "" {
			asked[match[1]] = match[2]
		}
	}
	explained := false
	for line := range strings.Lines(read(t, ".env.example")) {
		line = strings.TrimSpace(line)
		name, value, is := strings.Cut(strings.TrimPrefix(line, "#"), "=")
		if !is || !regexp.MustCompile(`^[A-Z_]+$`).MatchString(name) {
			explained = strings.HasPrefix(line, "# ") || explained && line != ""
			continue
		}
		fallback, known := asked[name]
		delete(asked, name)
		_, secret := filled()[name]
		switch {
		case !known:
			t.Errorf("%s is asked for by nobody", name)
		case !explained:
			t.Errorf("%s is not explained", name)
		case secret && (value != "" || strings.HasPrefix(line, "#")):
			t.Errorf("%s must be there to be filled in, and empty", line)
		case !secret && !strings.HasPrefix(line, "#"):
			t.Errorf("%s has a default and need not be given", name)
		case !secret && value != fallback && !strings.Contains(fallback, "is missing") && !strings.HasPrefix(name, "SUPABASE_"):
			t.Errorf("%s is said to be %q by default, compose says %q", name, value, fallback)
		}
	}
	for name := range asked {
		t.Errorf("%s is not in .env.example", name)
	}
}

// Promise: the broker is of the version that the tests run.
func TestKafkaIsTheOneThatIsTested(t *testing.T) {
	t.Parallel()
	tested := regexp.MustCompile(`<artifactId>kafka_2.13</artifactId>\s*<version>([^<]+)<`).FindStringSubmatch(read(t, "internal/porttest/services/kafka.pom.xml"))
	if tested == nil || !strings.Contains(read(t, "compose.yaml"), "image: apache/kafka:"+tested[1]+"\n") {
		t.Errorf("compose.yaml does not run Kafka %v", tested)
	}
}

// Promise: the checks can fail. Each row plants a fault in compose.yaml.
func TestPlantedFaults(t *testing.T) {
	t.Parallel()
	check := checker(t)
	text := read(t, "compose.yaml")
	for _, row := range []struct{ old, new, want string }{
		{"      SIGNUP:", "      SIGN_UP:", "blabber-hive is given the variable SIGN_UP"},
		{"      PGHOST:", "      PGHOSTS:", "PGHOSTS"},
		{"KAFKA_BROKER_SESSION_TIMEOUT_MS", "KAFKA_SESSION_TIMEOUT_MS", "broker is given the variable"},
		{":8001:80\"", ":8001:81\"", "nginx publishes port 81"},
		{"127.0.0.1:9090:9090", "9090:9090", "prometheus is published to everybody"},
		{"postgres-data:/var/lib/postgresql/data\n", "postgres-data:/var/lib/postgres\n", "postgres has a volume at /var/lib/postgres, where"},
		{"- prometheus-data:/prometheus\n", "- prometheus-data:/prometheus/data\n", "prometheus keeps something in /prometheus"},
		{"nginx/place.conf:/etc", "nginx/palce.conf:/etc", "a file that is not there: palce.conf"},
		{"/etc/nginx/place.conf:ro", "/etc/nginx/place.conf", "may write to"},
		{"/etc/nginx/place.conf:ro", "/etc/nginx/conf.d/place.conf:ro", "which it does not read"},
		{"127.0.0.1:3000/api/health", "127.0.0.1:3001/api/health", "grafana is asked for its health on port 3001"},
		{"</dev/tcp/localhost/9092", "</dev/tcp/localhost/9094", "broker is asked for its health on port 9094"},
		{"      fastapi: {condition: service_healthy} #", "      fastapi: {condition: service_completed_successfully} #", "waits for fastapi to end"},
		{"      broker: {condition: service_healthy}\n    healthcheck:\n      test: [\"CMD\", \"/usr", "      kafka-exporter: {condition: service_healthy}\n    healthcheck:\n      test: [\"CMD\", \"/usr", "kafka-exporter to be healthy, which has no"},
		{"      fastapi: {condition: service_healthy}\n", "      fastapi: {condition: service_started}\n", "only to be started"},
		{"      redis: {condition: service_healthy}\n      broker", "      grafana: {condition: service_healthy}\n      broker", "waits for grafana and never names it"},
		{"REDIS_ADDR: redis://redis:6379", "REDIS_ADDR: redis://redis:6380", "looks for redis on port 6380"},
		{"KAFKA_BROKER_URL: broker:9092", "KAFKA_BROKER_URL: broker:29092", "looks for broker on port 29092"},
		{"    command: [\"--kafka.server=broker:9092\"]\n", "    command: [\"--kafka.server=broker:9092\"]\n    ports: [\"127.0.0.1:9309:9309\"]\n", "publishes port 9309"},
		{"networks: [blabber-hive, inside]\n    depends_on:\n      kafka-setup", "networks: [blabber-hive]\n    depends_on:\n      kafka-setup", "shares no network"},
		{"cap_drop: [ALL]", "cap_drop: [NET_RAW]", "keeps capabilities"},
		{"[\"no-new-privileges:true\"]", "[]", "may gain rights"},
		{"    read_only: true\n    # In a cluster", "    # In a cluster", "blabber-hive has read_only false"},
		{"limits: {cpus: \"0.25\", memory: 64M}", "limits: {cpus: \"0.25\"}", "kafka-exporter has no limit"},
		{"restart: unless-stopped", "restart: always", "has restart"},
		{"stop_grace_period: 30s # more than SHUTDOWN_TIMEOUT", "stop_grace_period: 10s", "is killed before"},
		{"image: redis:8.2.1-alpine", "image: redis:latest", "without a version"},
		{"image: redis:8.2.1-alpine", "image: valkey:8.2.1", "runs the image valkey"},
		{"    image: redis:8.2.1-alpine", "    image: redis:8.2.1-alpine\n    container_name: redis", "fixed container name"},
		{"    internal: true\n", "", "a way out"},
		{"  grafana-data:\n", "  grafana-data:\n  zookeeper-data:\n", "zookeeper-data, which nobody uses"},
		{"ipv4_address: ${NGINX_ADDRESS:-172.28.80.10}", "ipv4_address: 172.28.80.11", "believes another proxy"},
		{"    healthcheck: {disable: true} # it serves nobody\n    read_only: true\n    tmpfs", "    read_only: true\n    tmpfs", "has the health check of its image"},
		{"  fastapi:\n    <<: *service", "  fastapi:\n    <<: *service\n    privileged: true", "is privileged"},
		{"networks:\n  blabber-hive:\n    driver", "  zookeeper:\n    image: zookeeper:3.9\n\nnetworks:\n  blabber-hive:\n    driver", "zookeeper is in no table"},
	} {
		if strings.Count(text, row.old) == 0 {
			t.Errorf("compose.yaml does not have %q any more", row.old)
			continue
		}
		project, err := load(t.Context(), strings.Replace(text, row.old, row.new, 1), filled(), []string{"supabase"})
		if err != nil {
			t.Errorf("%q cannot be read: %v", row.new, err)
			continue
		}
		problems := check.Check(project)
		if !slices.ContainsFunc(problems, func(problem string) bool { return strings.Contains(problem, row.want) }) {
			t.Errorf("%q is not found: %q", row.new, problems)
		}
	}
}
