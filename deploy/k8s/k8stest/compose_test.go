package k8stest_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/blabber-hive/blabber-hive/deploy/k8s/k8stest"
)

// places are where the services of compose.yaml are in Kubernetes.
func places() map[string][]k8stest.Place {
	same := func(name string) []k8stest.Place { return []k8stest.Place{{Workload: name, Container: name}} }
	return map[string][]k8stest.Place{
		"blabber-hive":      {{Workload: "gateway", Container: "gateway"}, {Workload: "sequencer", Container: "sequencer"}},
		"kafka-setup":       same("migrate"),
		"fastapi":           same("fastapi"),
		"nginx":             same("nginx"),
		"broker":            same("broker"),
		"postgres":          same("postgres"),
		"redis":             same("redis"),
		"prometheus":        same("prometheus"),
		"grafana":           same("grafana"),
		"postgres-exporter": same("postgres-exporter"),
		"redis-exporter":    same("redis-exporter"),
		"kafka-exporter":    same("kafka-exporter"),
		"node-exporter":     {{Workload: "postgres", Container: "node-exporter"}, {Workload: "broker", Container: "node-exporter"}},
	}
}

// differences are those between compose.yaml and the local overlay that there are for a reason.
func differences() []k8stest.Difference {
	return []k8stest.Difference{
		{"*", "env TZ", "pods tell the time in UTC; servers have theirs from the ConfigMap"},
		{"blabber-hive", "env TRUSTED_PROXIES", "nginx has no address of its own; NetworkPolicies let nobody else in"},
		{"blabber-hive", "env GOMEMLIMIT", "a small chat: each of four servers has less memory"},
		{"broker", "env KAFKA_HEAP_OPTS", "all pods together fit into 4 GiB"},
		{"broker", "env KAFKA_LOG_DIRS", "a folder below the volume, where file systems have folders of their own"},
		{"nginx", "port 8001:80", "a port that needs no rights in the pod; kind.yaml leads port 8001 of the machine to the Service"},
		{"grafana", "port 3001:3000", "reached by kubectl port-forward, which takes any port"},
		{"node-exporter", "volume /host", "the strictest level of Pod Security has no folders of the machine: volumes are watched from beside"},
		{"supabase-auth", "service", "for trying out on one machine, behind a profile; in Kubernetes SUPABASE_URL names a project"},
		{"supabase-setup", "service", "likewise"},
	}
}

// kompose is the program, built unless it is given.
func kompose(t *testing.T) string {
	t.Helper()
	if program := os.Getenv("KOMPOSE"); program != "" {
		return program
	}
	program := filepath.Join(t.TempDir(), "kompose")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "github.com/kubernetes/kompose")
	build.Dir = filepath.Join(root, "tools", "kompose")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build Kompose: %v\n%s", err, out)
	}
	return program
}

// convert lets Kompose convert a compose.yaml, with the passwords that the local overlay has, and reads what comes out.
func convert(t *testing.T, program, text string, files k8stest.Files) []k8stest.Composed {
	t.Helper()
	in, out := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(in, "compose.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), program, convertArguments(filepath.Join(in, "compose.yaml"), out)...)
	command.Env = append(os.Environ(), "GRAFANA_PASSWORD="+password(t, files, "grafana"), "POSTGRES_PASSWORD="+password(t, files, "postgres"), "REDIS_PASSWORD="+password(t, files, "redis"))
	if said, err := command.CombinedOutput(); err != nil {
		t.Fatalf("kompose: %v\n%s", err, said)
	}
	services, err := k8stest.ReadComposed(out)
	if err != nil {
		t.Fatal(err)
	}
	return services
}

// convertArguments are those of `make kompose`.
func convertArguments(in, out string) []string {
	return []string{"convert", "--profile", "supabase", "--volumes", "hostPath", "--file", in, "--out", out + string(filepath.Separator)}
}

func password(t *testing.T, files k8stest.Files, name string) string {
	t.Helper()
	_, value, found := strings.Cut(strings.TrimSpace(files["deploy/k8s/overlays/local/secrets/"+name+".env"]), "=")
	if !found {
		t.Fatalf("secrets.sh has made no password of %s", name)
	}
	return value
}

// Promise: every service, image, port, volume and variable of compose.yaml has its place in the local overlay, but for differences that
// there are for a reason; and none of these is one no more. It sees a fault on either side.
func TestCompose(t *testing.T) {
	t.Parallel()
	program, files, compose := kompose(t), files(t), read(t, "compose.yaml")
	local := render(t, files, "local")
	services := convert(t, program, compose, files)
	if len(services) < 13 {
		t.Fatalf("Kompose makes only %d services of compose.yaml", len(services))
	}
	for _, problem := range k8stest.CompareWithCompose(local, services, places(), differences()) {
		t.Error(problem)
	}

	for _, row := range []struct{ old, new, want string }{
		{"      SIGNUP: ${SIGNUP:-open}\n", "      SIGNUP: ${SIGNUP:-closed}\n", `env SIGNUP is "closed", and in gateway it is "open"`},
		{"      SIGNUP: ${SIGNUP:-open}\n", "      SIGNUP: ${SIGNUP:-open}\n      RATE_LIMITS: 'off'\n", `env RATE_LIMITS is "off", and gateway does not have it`},
		{"      KAFKA_LOG_FLUSH_INTERVAL_MESSAGES: 1\n", "      KAFKA_LOG_FLUSH_INTERVAL_MESSAGES: 100\n", "broker: env KAFKA_LOG_FLUSH_INTERVAL_MESSAGES"},
		{"      REDISCLI_AUTH: ${REDIS_PASSWORD}", "      REDISCLI_AUTH: another", "redis: env REDISCLI_AUTH"},
		{"image: redis:8.2.1-alpine", "image: redis:8.2.2-alpine", "redis: image is redis:8.2.2-alpine, and redis runs redis:8.2.1-alpine"},
		{"\"127.0.0.1:9090:9090\"", "\"127.0.0.1:9091:9091\"", "prometheus: port 9091:9091 leads to prometheus by no Service"},
		{"- prometheus-data:/prometheus\n", "- prometheus-data:/data\n", "prometheus: volume /data is not in prometheus"},
		{"- prometheus-data:/prometheus\n", "- grafana-data:/prometheus\n", "is the volume grafana-data, and in prometheus it is prometheus-data"},
		{"/nginx/listen.conf:/etc/nginx/listen.conf:ro", "/nginx/listen.conf:/etc/nginx/listening.conf:ro", "volume /etc/nginx/listening.conf is of ours, and nginx has no such file"},
		{"    tmpfs: [/tmp, /run/postgresql]\n", "    tmpfs: [/tmp, /run/postgresql, /scratch]\n", "postgres: volume /scratch is not in postgres"},
		{"    tmpfs: [/tmp, /run/postgresql]\n", "    tmpfs: [/tmp, /var/lib/postgresql/data/x]\n", "volume /var/lib/postgresql/data/x can be written to, and in postgres it keeps"},
		{"      TZ: ${TZ:-Etc/UTC}\n    networks: [inside]\n    depends_on:\n      broker: {condition: service_healthy}\n    read_only: true\n    deploy: *exporter\n", "      TZ: ${TZ:-Etc/UTC}\n    networks: [inside]\n    depends_on:\n      broker: {condition: service_healthy}\n    read_only: true\n    deploy: *exporter\n\n  cache:\n    <<: *service\n    image: redis:8.2.1-alpine\n    networks: [inside]\n", "cache: service has no place"},
		{"KAFKA_HEAP_OPTS: -Xms512m -Xmx512m", "KAFKA_HEAP_OPTS: -Xms384m -Xmx384m", "broker: env KAFKA_HEAP_OPTS is no difference any more"},
	} {
		if !strings.Contains(compose, row.old) {
			t.Errorf("compose.yaml does not have %q any more", row.old)
			continue
		}
		said := k8stest.CompareWithCompose(local, convert(t, program, strings.Replace(compose, row.old, row.new, 1), files), places(), differences())
		if !slices.ContainsFunc(said, func(problem string) bool { return strings.Contains(problem, row.want) }) {
			t.Errorf("compose.yaml: %q is not found: %q", row.new, said)
		}
	}
	for file, row := range map[string]struct{ old, new, want string }{
		"overlays/local/data/redis.yaml": {"  name: redis\n", "  name: valkey\n", "redis: has its place at redis of redis, which is not there"},
		"deployments/grafana.yaml":       {"            - name: GF_USERS_ALLOW_SIGN_UP\n              value: \"false\"\n", "", "grafana: env GF_USERS_ALLOW_SIGN_UP"},
		"services/watch.yaml":            {"port: 9090\n", "port: 9091\n", "prometheus: port 9090:9090"},
	} {
		name := "deploy/k8s/" + file
		broken := maps.Clone(files)
		broken[name] = strings.Replace(files[name], row.old, row.new, 1)
		if broken[name] == files[name] {
			t.Errorf("%s does not have %q any more", name, row.old)
		}
		said := k8stest.CompareWithCompose(render(t, broken, "local"), services, places(), differences())
		if !slices.ContainsFunc(said, func(problem string) bool { return strings.Contains(problem, row.want) }) {
			t.Errorf("%s: %q is not found: %q", file, row.new, said)
		}
	}
}
