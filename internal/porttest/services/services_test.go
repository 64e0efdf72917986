package services_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(services.During(m)) }

func query(t *testing.T, url, sql string) (answer string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	err = conn.QueryRow(ctx, sql).Scan(&answer)
	return answer, err
}

// Promise: a killed PostgreSQL comes back on its port with all that it had acknowledged, and keeps fsync on by itself.
func TestPostgresSurvivesItsDeath(t *testing.T) {
	t.Parallel()
	server, err := services.NewFolder(t).StartPostgres(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := query(t, server.URL, "create table kept as select 'here' as word; "); err != nil && !errors.Is(err, pgx.ErrNoRows) {
		t.Fatal(err)
	}
	server.Kill()
	if _, err := query(t, server.URL, "select 'dead'"); err == nil {
		t.Error("a killed server answers")
	}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if word, err := query(t, server.URL, "select word from kept"); word != "here" {
		t.Errorf("after the restart there is %q, %v", word, err)
	}
	if word, err := query(t, server.URL, "show fsync"); word != "on" {
		t.Errorf("fsync is %q, %v", word, err)
	}
}

// Promise: a frozen PostgreSQL keeps who is connected waiting, and goes on where it was.
func TestPostgresFreezesWithItsChildren(t *testing.T) {
	t.Parallel()
	server, err := services.NewFolder(t).StartPostgres(t.Context(), map[string]string{"fsync": "off"})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	server.Stop()
	answered := make(chan error, 1)
	go func() { answered <- conn.Ping(t.Context()) }()
	select {
	case err := <-answered:
		t.Errorf("a frozen server answers: %v", err)
	case <-time.After(300 * time.Millisecond): // it cannot be seen that nothing will come, only that nothing came
	}
	server.Continue()
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

// Promise: each test has a database of its own, a copy of the template, which is prepared once.
func TestPostgresGivesEachTestItsOwn(t *testing.T) {
	t.Parallel()
	prepared := 0
	seen := make(map[string]bool)
	for range 3 {
		url := services.Postgres(t, services.Fast(), services.Template("words", func(_ context.Context, url string) error {
			prepared++
			_, err := query(t, url, "create table words as select 'template' as word")
			if errors.Is(err, pgx.ErrNoRows) {
				err = nil
			}
			return err
		}))
		if word, err := query(t, url, "update words set word = 'mine' where word = 'template' returning word"); word != "mine" {
			t.Errorf("the copy has %q, %v", word, err)
		}
		if word, err := query(t, url, "show synchronous_commit"); word != "off" {
			t.Errorf("a fast database has synchronous_commit %q, %v", word, err)
		}
		seen[url] = true
	}
	if prepared != 1 || len(seen) != 3 {
		t.Errorf("the template was prepared %d times for %d databases", prepared, len(seen))
	}
}

func redis(t *testing.T, url, command string) string {
	t.Helper()
	_, rest, _ := strings.Cut(url, "default:")
	password, address, _ := strings.Cut(rest, "@")
	address, _, _ = strings.Cut(address, "/")
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "AUTH %s\r\n%s\r\nQUIT\r\n", password, command)
	answer := make([]byte, 0, 256)
	for buffer := make([]byte, 256); ; {
		n, err := conn.Read(buffer)
		answer = append(answer, buffer[:n]...)
		if err != nil {
			return string(answer)
		}
	}
}

// Promise: a killed Redis has forgotten everything and listens where it did; each test has a prefix of its own.
func TestRedis(t *testing.T) {
	t.Parallel()
	if a, b := services.Redis(t), services.Redis(t); a.URL != b.URL || a.Prefix == b.Prefix {
		t.Errorf("places are %v and %v", a, b)
	}
	server, err := services.NewFolder(t).StartRedis(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer := redis(t, server.URL, "SET word here"); !strings.Contains(answer, "+OK\r\n+OK") {
		t.Fatalf("redis answers %q", answer)
	}
	server.Kill()
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if answer := redis(t, server.URL, "EXISTS word"); !strings.Contains(answer, ":0") {
		t.Errorf("after its death redis answers %q", answer)
	}
}

// Promise: nginx serves the configuration it is given.
func TestNginx(t *testing.T) {
	t.Parallel()
	server, err := services.NewFolder(t).StartNginx(t.Context(), func(listen, dir string) string {
		return "events {}\nhttp { access_log off; client_body_temp_path " + dir + "/body; server { listen " + listen + "; return 204; } }\n"
	})
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		t.Errorf("nginx answers %s", answer.Status)
	}
}

// Promise: a service that ends while it starts is an error that shows its log, and a closed folder leaves nothing.
func TestAFailedStartSaysWhy(t *testing.T) {
	t.Parallel()
	folder, err := services.Open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err = folder.StartPostgres(t.Context(), map[string]string{"shared_buffers": "nonsense"}); err == nil || !strings.Contains(err.Error(), "shared_buffers") {
		t.Errorf("the error is %v", err)
	}
	if err := folder.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(folder.Path()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}
