package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

// startFront starts nginx and answers its host:port.
func startFront(t *testing.T, f front) string {
	t.Helper()
	nginx, err := services.NewFolder(t).StartNginx(t.Context(), func(listen, dir string) string { return f.config(t, listen, dir) })
	must(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			said, _ := os.ReadFile(nginx.Log) // what cannot be read is not there to be shown
			t.Logf("nginx's log:\n%s", tail(string(said)))
		}
	})
	return strings.TrimPrefix(nginx.URL, "http://")
}

// own is the configuration before a server that knows itself by its address.
func own(i *installation) front {
	return front{chat: "node", upstreams: "upstream node { server " + i.addr + " max_fails=0; }\n"}
}

// echo is a server that answers with what it was asked: a node as nginx sees it.
type echo struct {
	Name   string
	Path   string
	Host   string
	Header http.Header
}

// startEcho starts one on an address, and tells which port 0 became; answer, if there is one, is asked first.
func startEcho(t *testing.T, addr string, answer http.HandlerFunc) (listening string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", addr)
	must(t, err)
	addr = listener.Addr().String()
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer != nil {
			answer(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(echo{addr, r.RequestURI, r.Host, r.Header}) // who has gone does not need it
	})}
	group := run.NewGroup(t.Context())
	group.Go("echo", func(context.Context) error { return server.Serve(listener) })
	t.Cleanup(func() {
		_ = server.Close()
		_ = group.Wait() // it ends as it was told
	})
	return addr
}

// names answers for one name as Docker does: with all addresses of it, in an order that turns.
type names struct {
	mu        sync.Mutex
	addresses []netip.Addr
}

func (n *names) set(addresses ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.addresses = nil
	for _, address := range addresses {
		n.addresses = append(n.addresses, netip.MustParseAddr(address))
	}
}

// start answers on a port of its own until the test ends.
func (n *names) start(t *testing.T) (addr string) {
	t.Helper()
	conn, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	must(t, err)
	group := run.NewGroup(t.Context())
	group.Go("answer for names", func(context.Context) error {
		buffer := make([]byte, 512)
		for {
			length, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return err
			}
			if answer, err := n.answer(buffer[:length]); err == nil {
				_, _ = conn.WriteTo(answer, from) // whoever gets no answer asks again
			}
		}
	})
	t.Cleanup(func() {
		_ = conn.Close()
		_ = group.Wait() // reading ended as it was told
	})
	return conn.LocalAddr().String()
}

func (n *names) answer(asked []byte) ([]byte, error) {
	var message dnsmessage.Message
	if err := message.Unpack(asked); err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	message.Response, message.RecursionAvailable = true, true
	for _, address := range n.addresses {
		message.Answers = append(message.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: message.Questions[0].Name, Class: dnsmessage.ClassINET, TTL: 600},
			Body:   &dnsmessage.AResource{A: address.As4()},
		})
	}
	if len(n.addresses) > 1 {
		n.addresses = append(n.addresses[1:], n.addresses[0])
	}
	return message.Pack()
}

// visitor asks from an address of its own.
func visitor(t *testing.T, from string, trust *x509.CertPool) *http.Client {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	transport := &http.Transport{DialContext: dialer.DialContext, DisableCompression: true, TLSClientConfig: &tls.Config{RootCAs: trust}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport: transport, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// visit makes a request and reads all of its answer.
func visit(t *testing.T, client *http.Client, method, url string, header http.Header) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	must(t, err)
	if header != nil {
		request.Header = header
	}
	response, err := client.Do(request)
	must(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	must(t, err)
	return response, string(body)
}

// freeOn finds a port that is free on all given addresses.
func freeOn(t *testing.T, addresses ...string) string {
	t.Helper()
	for range 100 {
		_, port, err := net.SplitHostPort(freeAddr(t))
		must(t, err)
		if !slices.ContainsFunc(addresses, func(address string) bool {
			listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort(address, port))
			return err != nil || listener.Close() != nil
		}) {
			return port
		}
	}
	t.Fatal("no port is free on all addresses")
	return ""
}

// Promise (docs/compose.md): through compose's nginx the web client has the headers that the server gives it, each once, and
// what never changes is kept for ever and compressed.
func TestNginxPassesOn(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.start()
	addr := startFront(t, own(i))
	client := visitor(t, "127.0.0.1", nil)
	for _, path := range []string{"/", "/api/v1/config", "/api/v1/none", "/docs", "/openapi.json"} {
		direct, _ := visit(t, client, http.MethodGet, i.url()+path, nil)
		passed, _ := visit(t, client, http.MethodGet, "http://"+addr+path, nil)
		if direct.StatusCode != passed.StatusCode {
			t.Errorf("%s: %d through nginx, %d without", path, passed.StatusCode, direct.StatusCode)
		}
		for name, values := range direct.Header {
			if name != "Date" && name != "X-Request-Id" && name != "Content-Length" && !slices.Equal(values, slices.Compact(passed.Header[name])) { // nginx says Vary once more
				t.Errorf("%s: %s is %q through nginx, %q without", path, name, passed.Header[name], values)
			}
		}
		if got := passed.Header["Content-Security-Policy"]; len(got) != 1 {
			t.Errorf("%s: the policies %q, want one", path, got)
		}
		if got := passed.Header.Get("Server"); got != "nginx" {
			t.Errorf("%s: Server is %q, which tells a version", path, got)
		}
	}
	_, page := visit(t, client, http.MethodGet, "http://"+addr+"/", nil)
	asset := regexp.MustCompile(`/assets/app-[^"]+\.js`).FindString(page)
	if asset == "" {
		t.Fatal("the page names no script: the binary has no web client inside")
	}
	got, _ := visit(t, client, http.MethodGet, "http://"+addr+asset, http.Header{"Accept-Encoding": {"gzip"}})
	if cache := got.Header.Get("Cache-Control"); !strings.Contains(cache, "immutable") || got.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("%s: Cache-Control %q, Content-Encoding %q, want immutable and gzip", asset, cache, got.Header.Get("Content-Encoding"))
	}
}

// Promise (docs/operations.md): nobody outside reaches metrics, health or profiles, however they write the path.
func TestNginxKeepsInside(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.start()
	addr := startFront(t, own(i))
	for _, target := range []string{
		"/metrics", "/healthz", "/readyz", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline",
		"//metrics", "/./metrics", "/%6detrics", "/api/../metrics", "/ws/../metrics", "/metrics/", "/metrics?x=1", "/METRICS",
		"http://" + i.admin + "/metrics", "/api/v1/../../metrics", "/docs/%2e%2e/metrics",
	} {
		for _, host := range []string{addr, i.admin, "localhost:8090"} {
			// Written by hand: a client would tidy the path up.
			conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
			must(t, err)
			must(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
			_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", target, host)
			must(t, err)
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			must(t, err)
			body, err := io.ReadAll(response.Body)
			must(t, err)
			must(t, conn.Close())
			if response.StatusCode == http.StatusOK || bytes.Contains(body, []byte("go_goroutines")) || bytes.Contains(body, []byte("probes")) {
				t.Errorf("GET %s of %s: %d %.100s", target, host, response.StatusCode, body)
			}
		}
	}
}

// Promise: the servers are told who asks and how, and nothing of what a client says about that; and nginx asks for names
// again, so that servers come and go, and asks the next where one is dead or about to stop.
func TestNginxFindsServers(t *testing.T) {
	t.Parallel()
	const one, two, three = "127.0.0.2", "127.0.0.3", "127.0.0.4"
	port := freeOn(t, one, two, three)
	var known names
	addr := startFront(t, front{chat: "hive.test:" + port, resolver: known.start(t)})
	client := visitor(t, "127.0.0.9", nil)
	ask := func(path string, header http.Header) (status int, seen echo) {
		response, body := visit(t, client, http.MethodGet, "http://"+addr+path, header)
		if err := json.Unmarshal([]byte(body), &seen); err != nil && response.StatusCode == http.StatusOK {
			t.Fatalf("%s: %q", path, body)
		}
		return response.StatusCode, seen
	}
	await := func(what string, condition func() bool) {
		t.Helper()
		for until := time.Now().Add(20 * time.Second); !condition(); pause(t, pollEvery) {
			if time.Now().After(until) {
				t.Fatalf("not within 20 s: %s", what)
			}
		}
	}

	response, body := visit(t, client, http.MethodGet, "http://"+addr+"/api/v1/config", nil)
	if response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, `"code":"unavailable"`) || response.Header.Get("Retry-After") == "" {
		t.Errorf("without servers: %d %s", response.StatusCode, body)
	}

	startEcho(t, net.JoinHostPort(one, port), nil)
	known.set(one)
	await("a first server is found", func() bool { status, _ := ask("/api/v1/config", nil); return status == http.StatusOK })
	for _, path := range []string{"/api/v1/rooms?limit=1", "/", "/ws", "/invite/a%2Fb"} {
		_, seen := ask(path, http.Header{
			"X-Forwarded-For": {"6.6.6.6"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"evil.test"}, "X-Real-Ip": {"6.6.6.6"},
			"Forwarded": {"for=6.6.6.6"}, "Connection": {"Upgrade"}, "Upgrade": {"websocket"},
		})
		if seen.Path != path || seen.Host != addr {
			t.Errorf("%s of %s is passed on as %s of %s", path, addr, seen.Path, seen.Host)
		}
		want := http.Header{"X-Forwarded-For": {"127.0.0.9"}, "X-Forwarded-Proto": {"http"}}
		for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-Ip", "Forwarded"} {
			if !slices.Equal(seen.Header[name], want[name]) {
				t.Errorf("%s: the server is told %s %q, want %q", path, name, seen.Header[name], want[name])
			}
		}
		if upgrade := seen.Header.Get("Upgrade"); (upgrade == "websocket") != (path == "/ws") {
			t.Errorf("%s: the server is told Upgrade %q", path, upgrade)
		}
	}

	// One that stops refuses new connections; one is dead. Nobody who comes notices.
	startEcho(t, net.JoinHostPort(two, port), func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "this node is going away", http.StatusServiceUnavailable)
	})
	known.set(one, two, three)
	await("the second is asked", func() bool { status, _ := ask("/api/v1/config", nil); return status == http.StatusServiceUnavailable })
	for range 30 {
		if status, _ := ask("/ws", nil); status != http.StatusOK {
			t.Fatalf("/ws = %d while one of three servers is well", status)
		}
	}
	startEcho(t, net.JoinHostPort(three, port), nil)
	known.set(three)
	await("only the third is asked", func() bool { _, seen := ask("/", nil); return strings.HasPrefix(seen.Name, three+":") })
}

// Promise: with what deploy/k8s mounts, nginx finds the gateways by the cluster's DNS and answers probes; behind a load balancer the
// servers are told what that says of who asks, never what who asks says, nor anything that somebody else claims to pass on.
func TestNginxInKubernetes(t *testing.T) {
	t.Parallel()
	const gateway, balancer, stranger = "127.0.0.6", "127.0.0.7", "127.0.0.8"
	forwarded := http.Header{"X-Forwarded-For": {"6.6.6.6, 203.0.113.9"}, "X-Forwarded-Proto": {"gopher"}}
	for folder, told := range map[string]map[string]http.Header{
		"configmaps": {
			balancer: {"X-Forwarded-For": {balancer}, "X-Forwarded-Proto": {"http"}},
			stranger: {"X-Forwarded-For": {stranger}, "X-Forwarded-Proto": {"http"}},
		},
		"overlays/eks": {
			balancer: {"X-Forwarded-For": {"203.0.113.9"}, "X-Forwarded-Proto": {"https"}},
			stranger: {"X-Forwarded-For": {stranger}, "X-Forwarded-Proto": {"https"}},
		},
	} {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			var known names
			known.set(gateway)
			probe := freeAddr(t)
			_, port, err := net.SplitHostPort(startEcho(t, net.JoinHostPort(gateway, "0"), nil))
			must(t, err)
			place := file(t, filepath.Join("../../deploy/k8s", folder, "nginx/place.conf"))
			for mounted, here := range map[string]string{
				"resolver kube-dns.kube-system.svc.cluster.local valid=2s": "resolver " + known.start(t) + " valid=2s",
				"gateway.blabber-hive.svc.cluster.local:8080":              "gateway.blabber-hive.svc.cluster.local:" + port,
				"listen 8081;":                   "listen " + probe + ";",
				"set_real_ip_from 10.0.0.0/8;\n": "set_real_ip_from 10.0.0.0/8;\nset_real_ip_from " + balancer + ";\n",
			} {
				changed := strings.Replace(place, mounted, here, 1)
				if changed == place && (folder == "overlays/eks" || !strings.HasPrefix(mounted, "set_real")) {
					t.Fatalf("place.conf has no %q", mounted)
				}
				place = changed
			}
			addr := startFront(t, front{place: place})
			for from, want := range told {
				response, body := visit(t, visitor(t, from, nil), http.MethodGet, "http://"+addr+"/api/v1/config", forwarded.Clone())
				var seen echo
				if err := json.Unmarshal([]byte(body), &seen); err != nil {
					t.Fatalf("from %s: %d %q", from, response.StatusCode, body)
				}
				for name := range want {
					if !slices.Equal(seen.Header[name], want[name]) {
						t.Errorf("from %s the servers are told %s %q, want %q", from, name, seen.Header[name], want[name])
					}
				}
			}
			for path, want := range map[string]int{"/": http.StatusOK, "/api/v1/config": http.StatusNotFound} {
				if response, _ := visit(t, visitor(t, stranger, nil), http.MethodGet, "http://"+probe+path, nil); response.StatusCode != want {
					t.Errorf("at the port for probes %s is answered with %d, want %d", path, response.StatusCode, want)
				}
			}
		})
	}
}

// Promise: one address cannot take it all, is told so as programs expect it, and others do not notice.
func TestNginxLimits(t *testing.T) {
	t.Parallel()
	const node = "127.0.0.5"
	target := startEcho(t, net.JoinHostPort(node, "0"), nil)
	addr := startFront(t, front{chat: "node", upstreams: "upstream node { server " + target + "; }\n", unlimited: "127.0.0.8 1;"})
	rush := func(from, path string, requests int) (refused int, last string) {
		client := visitor(t, from, nil)
		for range requests {
			response, body := visit(t, client, http.MethodGet, "http://"+addr+path, nil)
			switch response.StatusCode {
			case http.StatusOK:
			case http.StatusTooManyRequests:
				refused++
				last = response.Header.Get("Content-Type") + response.Header.Get("Retry-After") + body
			default:
				t.Fatalf("%s = %d", path, response.StatusCode)
			}
		}
		return refused, last
	}
	for path, requests := range map[string]int{"/api/v1/config": 600, "/ws": 300} {
		refused, last := rush("127.0.0.7", path, requests)
		if refused == 0 || refused == requests || !strings.HasPrefix(last, "application/problem+json1{") || !strings.Contains(last, `"code":"rate_limited"`) {
			t.Errorf("%s: %d of %d requests were refused, the last with %q", path, refused, requests, last)
		}
		if refused, _ := rush("127.0.0.6", path, 20); refused != 0 {
			t.Errorf("%s: %d requests from another address were refused", path, refused)
		}
		if refused, _ := rush("127.0.0.8", path, requests); refused != 0 {
			t.Errorf("%s: %d requests from an address without limits were refused", path, refused)
		}
	}
}

// Promise: the model server's documentation is there if it is asked for, and nothing else of it.
func TestNginxModelServer(t *testing.T) {
	t.Parallel()
	const node, models = "127.0.0.10", "127.0.0.11"
	port := freeOn(t, node, models)
	startEcho(t, net.JoinHostPort(node, port), nil)
	startEcho(t, net.JoinHostPort(models, port), nil)
	place := front{
		chat: "node", models: "models",
		upstreams: fmt.Sprintf("upstream node { server %s:%s; }\nupstream models { server %s:%s; }\n", node, port, models, port),
	}
	client := visitor(t, "127.0.0.1", nil)
	without := startFront(t, place)
	place.parts = map[string]string{"ml": "ml", "auth": "auth"}
	with := startFront(t, place)
	for path, want := range map[string]string{"/ml/docs": "/docs", "/ml/openapi.json": "/openapi.json", "/ml/v1/analyze": "/v1/analyze"} {
		_, body := visit(t, client, http.MethodGet, "http://"+with+path, nil)
		if !strings.Contains(body, fmt.Sprintf(`"Name":%q,"Path":%q`, net.JoinHostPort(models, port), want)) {
			t.Errorf("%s, asked for: %s", path, body)
		}
		if _, body := visit(t, client, http.MethodGet, "http://"+without+path, nil); !strings.Contains(body, fmt.Sprintf(`"Name":%q`, net.JoinHostPort(node, port))) {
			t.Errorf("%s, not asked for: %s", path, body)
		}
	}
	for _, path := range []string{"/ml/metrics", "/ml/readyz", "/ml/healthz", "/ml//metrics", "/auth/v1/metrics"} {
		if response, _ := visit(t, client, http.MethodGet, "http://"+with+path, nil); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s = %d, want 404", path, response.StatusCode)
		}
	}
}

// Promise: with the example for TLS, people are sent to it, and the server knows and says that they stay there.
func TestNginxTLS(t *testing.T) {
	t.Parallel()
	i := install(t, "--trusted-proxies", "127.0.0.1")
	i.start()
	plain, secure := freeAddr(t), freeAddr(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.ParseIP("127.0.0.1")},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	keyBytes, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	folder := t.TempDir()
	must(t, os.WriteFile(filepath.Join(folder, "fullchain.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}), 0o600))
	must(t, os.WriteFile(filepath.Join(folder, "privkey.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyBytes}), 0o600))
	place := own(i)
	// The addresses differ, nothing else does.
	place.listens = strings.NewReplacer(
		"listen 80;", "listen "+plain+";", "listen 443 ssl;", "listen "+secure+" ssl;",
		" tls/fullchain.pem", " "+filepath.Join(folder, "fullchain.pem"), " tls/privkey.pem", " "+filepath.Join(folder, "privkey.pem"),
	).Replace(composeFile(t, "tls/listen.conf"))
	_, err = services.NewFolder(t).StartNginx(t.Context(), func(listen, dir string) string {
		place.listens += "listen " + listen + ";\n" // which is asked whether nginx is ready
		return place.config(t, listen, dir)
	})
	must(t, err)

	trust := x509.NewCertPool()
	parsed, err := x509.ParseCertificate(certificate)
	must(t, err)
	trust.AddCert(parsed)
	client := visitor(t, "127.0.0.1", trust)
	response, _ := visit(t, client, http.MethodGet, "http://"+plain+"/rooms?x=1", nil)
	if got := response.Header.Get("Location"); response.StatusCode != http.StatusPermanentRedirect || got != "https://127.0.0.1/rooms?x=1" {
		t.Errorf("plain HTTP is answered with %d to %q", response.StatusCode, got)
	}
	response, _ = visit(t, client, http.MethodGet, "https://"+secure+"/", nil)
	if got := response.Header["Strict-Transport-Security"]; response.StatusCode != http.StatusOK || len(got) != 1 {
		t.Errorf("TLS is answered with %d, Strict-Transport-Security %q", response.StatusCode, got)
	}
}
