package k8stest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/blabber-hive/blabber-hive/deploy/k8s/k8stest"
)

// patience is how long a program may take to start.
const patience = 20 * time.Second

// lay writes files into a folder of the test's.
func lay(t *testing.T, files map[string]string, replace ...string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(strings.NewReplacer(append(replace, "/tmp/", dir+"/")...).Replace(text)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func program(t *testing.T, name, folder string) string {
	t.Helper()
	for _, candidate := range []string{name, filepath.Join(folder, name)} {
		if found, err := exec.LookPath(candidate); err == nil {
			return found
		}
	}
	t.Fatalf("%s is not installed: make deps", name)
	return ""
}

// Promise: Prometheus takes its folder as its pod has it, with both rule files and, where there are any, the disks to watch.
func TestPrometheusTakesItsFolder(t *testing.T) {
	t.Parallel()
	files := files(t)
	promtool := program(t, "promtool", "")
	for overlay, disks := range map[string]bool{"local": true, "eks": false} {
		m := render(t, files, overlay)
		folder := m.Files(workload(t, m, "prometheus"), "settings")
		check := exec.CommandContext(t.Context(), promtool, "check", "config", "prometheus.yml")
		check.Dir = lay(t, folder)
		if out, err := check.CombinedOutput(); err != nil || !strings.Contains(string(out), "2 rule files found") {
			t.Errorf("%s: %v\n%s", overlay, err, out)
		}
		if _, found := folder["targets/machine.yml"]; found != disks {
			t.Errorf("%s: disks to watch: %t, want %t", overlay, found, disks)
		}
	}
}

// told is what a gateway hears of who asks.
type told struct{ For, Proto, Host string }

// Promise: nginx takes its folder as its pod has it. It answers probes itself; in EKS it believes the load balancer's word of who asks
// and how, and nobody else's before that; locally it believes nobody; and while no gateway answers it says so in words.
func TestNginxTakesItsFolder(t *testing.T) {
	t.Parallel()
	files := files(t)
	addresses := freeAddresses(t, 4)
	for overlay, want := range map[string]told{
		"local": {For: "127.0.0.1", Proto: "http", Host: "chat.example.com"},
		"eks":   {For: "203.0.113.9", Proto: "https", Host: "chat.example.com"},
	} {
		people, health := addresses[0], addresses[1]
		addresses = addresses[2:]
		t.Run(overlay, func(t *testing.T) {
			t.Parallel()
			gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_ = json.NewEncoder(w).Encode(told{r.Header.Get("X-Forwarded-For"), r.Header.Get("X-Forwarded-Proto"), r.Host}) // the test sees what arrives
			}))
			defer gateway.Close()
			m := render(t, files, overlay)
			startNginx(t, lay(t, m.Files(workload(t, m, "nginx"), "settings"),
				"listen 8080;", "listen "+people+";", "listen 8081;", "listen "+health+";",
				"kube-dns.kube-system.svc.cluster.local", "127.0.0.1",
				"gateway.blabber-hive.svc.cluster.local:8080", strings.TrimPrefix(gateway.URL, "http://"),
				"set_real_ip_from 10.0.0.0/8;", "set_real_ip_from 127.0.0.0/8;", // this machine plays the load balancer
			), health)

			for address, status := range map[string]int{
				health + "/": http.StatusOK, health + "/api/v1/config": http.StatusNotFound,
				people + "/metrics": http.StatusNotFound, people + "/readyz": http.StatusNotFound,
			} {
				if got, _ := ask(t, "http://"+address); got.StatusCode != status {
					t.Errorf("%s answers %d, want %d", address, got.StatusCode, status)
				}
			}
			_, body := ask(t, "http://"+people+"/api/v1/config")
			var got told
			if err := json.Unmarshal(body, &got); err != nil || got != want {
				t.Errorf("the gateway is told %+v (%v), want %+v", got, err, want)
			}
			gateway.Close()
			away, body := ask(t, "http://"+people+"/api/v1/config")
			if away.StatusCode != http.StatusServiceUnavailable || away.Header.Get("Retry-After") == "" || !strings.Contains(string(body), `"unavailable"`) {
				t.Errorf("without a gateway: %s, %v, %s", away.Status, away.Header, body)
			}
		})
	}
}

// ask asks as a load balancer does for somebody who has said himself that he is somebody else.
func ask(t *testing.T, address string) (*http.Response, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "chat.example.com"
	request.Header.Set("X-Forwarded-For", "198.51.100.1, 203.0.113.9")
	request.Header.Set("X-Forwarded-Proto", "gopher")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, body
}

// freeAddresses are as many different ones on which nobody listens.
func freeAddresses(t *testing.T, count int) []string {
	t.Helper()
	addresses := make([]string, count)
	for i := range addresses {
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close() //nolint:revive // not before there are all of them: the next would be the same one
		addresses[i] = listener.Addr().String()
	}
	return addresses
}

// startNginx starts nginx on a folder, and returns when it answers.
func startNginx(t *testing.T, dir, health string) {
	t.Helper()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	nginx := exec.CommandContext(t.Context(), program(t, "nginx", "/usr/sbin"),
		"-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-e", "stderr", "-g", "daemon off; pid "+filepath.Join(dir, "pid")+";")
	nginx.Stderr = log
	nginx.Cancel = func() error { return nginx.Process.Signal(syscall.SIGTERM) }
	nginx.WaitDelay = patience
	if err := nginx.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = nginx.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = nginx.Wait()
		_ = log.Close()
		if said, err := os.ReadFile(log.Name()); t.Failed() && err == nil {
			t.Logf("nginx:\n%s", said)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", health)
		if err == nil {
			_ = connection.Close()
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("nginx does not answer: %v", err)
		}
	}
}

// Promise: blabber-hive accepts the configuration that it is given in each place.
func TestConfigurationIsAccepted(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "blabber-hive")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/blabber-hive")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build blabber-hive: %v\n%s", err, out)
	}
	files := files(t)
	for overlay := range overlays() {
		m := render(t, files, overlay)
		for _, name := range []string{"gateway", "sequencer", "migrate"} {
			container := workload(t, m, name).Pod.Containers[0]
			// With one thing that is wrong it says so and of nothing else, and tries nothing.
			process := exec.CommandContext(t.Context(), binary, container.Args...)
			process.Env = append(environment(m, container, overlay), "DATA_DIR= ")
			out, err := process.CombinedOutput()
			exit, ok := errors.AsType[*exec.ExitError](err)
			said, _, _ := strings.Cut(string(out), "blabber-hive --help")
			if !ok || exit.ExitCode() != 2 || strings.TrimSpace(said) != "blabber-hive: --data-dir (DATA_DIR) is empty: name a folder, like ./data" {
				t.Errorf("%s: %s ends with %v, saying\n%s", overlay, name, err, out)
			}
		}
	}
}

// environment is what a container is given, with what AWS would have for it in the places of its secrets.
func environment(m *k8stest.Manifests, container corev1.Container, overlay string) []string {
	values := m.Environment(container)
	if overlay == "eks" {
		maps.Copy(values, map[string]string{
			"DATABASE_URL": "postgres://hive:secret@hive.rds.example.com:5432/hive?sslmode=require", "REDIS_URL": "rediss://:secret@hive.cache.example.com:6379",
			"KAFKA_SASL_USERNAME": "hive", "KAFKA_SASL_PASSWORD": "secret", "SUPABASE_JWT_SECRET": "",
		})
	}
	var all []string
	for name, value := range values {
		if name != "DATA_DIR" {
			all = append(all, name+"="+value)
		}
	}
	return all
}
