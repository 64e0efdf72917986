package services

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Kubernetes is a cluster without machines: the real API server, controllers and scheduler over a real etcd, and nodes that
// are played by kwok. What is applied is admitted, scheduled, scaled, rolled out and deleted as anywhere; only that no
// container runs in a pod.
type Kubernetes struct {
	// Kubeconfig is the path of a file with which kubectl may do everything.
	Kubeconfig string

	tools string
	admin string // its token
	dir   string
}

// kubernetesNode is one of the played machines. Zones are what topology spread is about.
const kubernetesNode = `---
apiVersion: v1
kind: Node
metadata:
  name: node-%[1]d
  labels: {kubernetes.io/hostname: node-%[1]d, kubernetes.io/os: linux, kubernetes.io/arch: amd64, topology.kubernetes.io/zone: zone-%[2]d}
status:
  allocatable: &has {cpu: "4", memory: 8Gi, pods: "50", ephemeral-storage: 100Gi}
  capacity: *has
`

// kubernetesVolumes are the kinds of volumes that there are: the one that is given to who names none, and AWS's.
const kubernetesVolumes = `---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: standard, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: kwok.x-k8s.io/volume
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: gp3}
provisioner: kwok.x-k8s.io/volume
`

// StartKubernetes starts a cluster from the programs that scripts/k8s-tools.sh has built into a folder, with as many nodes
// in three zones.
func (f *Folder) StartKubernetes(ctx context.Context, tools string, nodes int) (*Kubernetes, error) {
	dir, err := f.sub("kubernetes")
	if err != nil {
		return nil, err
	}
	k := &Kubernetes{Kubeconfig: filepath.Join(dir, "admin.kubeconfig"), tools: tools, admin: token(), dir: dir}
	etcd, err := f.startEtcd(ctx, k, dir)
	if err != nil {
		return nil, err
	}
	server, err := f.startAPIServer(ctx, k, dir, etcd)
	if err != nil {
		return nil, err
	}
	certificate := filepath.Join(dir, "apiserver.crt")
	if err := os.WriteFile(k.Kubeconfig, fmt.Appendf(nil, kubeconfig, server, certificate, k.admin), 0o600); err != nil {
		return nil, err
	}
	for _, part := range [][]string{
		{
			"kube-controller-manager", "--leader-elect=false", "--use-service-account-credentials", "--root-ca-file", certificate,
			"--service-account-private-key-file", filepath.Join(dir, "accounts.key"),
		},
		{"kube-scheduler", "--leader-elect=false"},
	} {
		port, err := freePort(ctx)
		if err != nil {
			return nil, err
		}
		part = append(part, "--bind-address=127.0.0.1", "--secure-port", strconv.Itoa(port), "--cert-dir", filepath.Join(dir, part[0]))
		// That one works is seen by what it does.
		if _, err := f.startPart(ctx, k, dir, func(context.Context) error { return nil }, part...); err != nil {
			return nil, err
		}
	}
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	_, err = f.startPart(ctx, k, dir, func(ctx context.Context) error { return answers(ctx, "http://"+loopback(port)+"/healthz") },
		"kwok", "--manage-all-nodes", "--node-lease-duration-seconds=40", "--config", filepath.Join(tools, "stages.yaml"), "--server-address", loopback(port))
	if err != nil {
		return nil, err
	}
	machines := strings.Builder{}
	machines.WriteString(kubernetesVolumes)
	for i := range nodes {
		fmt.Fprintf(&machines, kubernetesNode, i+1, i%3+1)
	}
	if _, err := k.KubectlWith(ctx, machines.String(), "apply", "--server-side", "--filename", "-"); err != nil {
		return nil, err
	}
	if _, err := k.Kubectl(ctx, "apply", "--server-side", "--filename", filepath.Join(tools, "external-secrets.yaml")); err != nil {
		return nil, err
	}
	_, err = k.Kubectl(ctx, "wait", "--for=condition=Ready", "nodes", "--all", "--timeout=2m")
	return k, err
}

const kubeconfig = `apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: %q, certificate-authority: %q}}]
users: [{name: admin, user: {token: %s}}]
contexts: [{name: test, context: {cluster: test, user: admin}}]
current-context: test
`

func (f *Folder) startEtcd(ctx context.Context, k *Kubernetes, dir string) (*Instance, error) {
	clients, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	peers, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	url, peer := "http://"+loopback(clients), "http://"+loopback(peers)
	etcd, err := f.startPart(ctx, k, dir, func(ctx context.Context) error { return answers(ctx, url+"/health") },
		"etcd", "--data-dir", filepath.Join(dir, "etcd-data"), "--unsafe-no-fsync", "--log-level=warn",
		"--listen-client-urls", url, "--advertise-client-urls", url,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "default="+peer)
	if err != nil {
		return nil, err
	}
	etcd.URL = url
	return etcd, nil
}

// startAPIServer tells where it listens. It makes a certificate for itself, which is what its clients believe in.
func (f *Folder) startAPIServer(ctx context.Context, k *Kubernetes, dir string, etcd *Instance) (url string, err error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", err
	}
	accounts := filepath.Join(dir, "accounts.key")
	encoded := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	if err := os.WriteFile(accounts, encoded, 0o600); err != nil {
		return "", err
	}
	tokens := filepath.Join(dir, "tokens.csv")
	if err := os.WriteFile(tokens, fmt.Appendf(nil, "%s,admin,admin,system:masters\n", k.admin), 0o600); err != nil {
		return "", err
	}
	port, err := freePort(ctx)
	if err != nil {
		return "", err
	}
	url = "https://" + loopback(port)
	ready := func(ctx context.Context) error {
		return k.answers(ctx, filepath.Join(dir, "apiserver.crt"), url+"/readyz")
	}
	_, err = f.startPart(ctx, k, dir, ready, "kube-apiserver", "--etcd-servers", etcd.URL, "--bind-address=127.0.0.1", "--secure-port", strconv.Itoa(port),
		"--cert-dir", dir, "--service-cluster-ip-range=10.96.0.0/16", "--authorization-mode=RBAC", "--allow-privileged", "--token-auth-file", tokens,
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file", accounts, "--service-account-signing-key-file", accounts)
	return url, err
}

// StartPrometheusAdapter starts what makes external metrics of Prometheus', for autoscalers, by a configuration of its own, and has
// the API server ask it.
func (f *Folder) StartPrometheusAdapter(ctx context.Context, k *Kubernetes, prometheus, config string) error {
	path := filepath.Join(k.dir, "adapter.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		return err
	}
	port, err := freePort(ctx)
	if err != nil {
		return err
	}
	// The API server has no certificate by which it could say for whom it asks, so nobody in particular may ask.
	adapter, err := f.startPart(ctx, k, k.dir, func(context.Context) error { return nil }, "prometheus-adapter", "--config", path, "--prometheus-url", prometheus,
		"--metrics-relist-interval=5s", "--bind-address=127.0.0.1", "--secure-port", strconv.Itoa(port), "--cert-dir", filepath.Join(k.dir, "prometheus-adapter"),
		"--authentication-skip-lookup", "--authentication-kubeconfig", k.Kubeconfig, "--authorization-kubeconfig", k.Kubeconfig, "--lister-kubeconfig", k.Kubeconfig)
	if err != nil {
		return err
	}
	if _, err := k.KubectlWith(ctx, fmt.Sprintf(externalMetrics, port), "apply", "--server-side", "--filename", "-"); err != nil {
		return err
	}
	if _, err = k.Kubectl(ctx, "wait", "--for=condition=Available", "apiservice/v1beta1.external.metrics.k8s.io", "--timeout=1m"); err != nil {
		why, _ := k.Kubectl(ctx, "get", "apiservice/v1beta1.external.metrics.k8s.io", "--output=jsonpath={.status.conditions[0].message}")
		return fmt.Errorf("%w%s\n%s", err, why, tail(adapter.Log))
	}
	return nil
}

const externalMetrics = `---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: external-metrics}
rules:
  - {apiGroups: [external.metrics.k8s.io], resources: ["*"], verbs: [get, list]}
  - {nonResourceURLs: ["/apis/external.metrics.k8s.io*"], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: external-metrics}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: external-metrics}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: system:anonymous}]
---
apiVersion: v1
kind: Service
metadata: {name: prometheus-adapter, namespace: kube-system}
spec: {type: ExternalName, externalName: localhost}
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.external.metrics.k8s.io}
spec:
  group: external.metrics.k8s.io
  version: v1beta1
  service: {name: prometheus-adapter, namespace: kube-system, port: %d}
  insecureSkipTLSVerify: true
  groupPriorityMinimum: 100
  versionPriority: 100
`

// startPart starts one of the cluster's programs. All but these three find the API server by the kubeconfig.
func (f *Folder) startPart(ctx context.Context, k *Kubernetes, dir string, ready func(context.Context) error, command ...string) (*Instance, error) {
	name := command[0]
	if name != "etcd" && name != "kube-apiserver" && name != "prometheus-adapter" {
		command = append(command, "--kubeconfig", k.Kubeconfig)
	}
	path := filepath.Join(k.tools, name)
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("there is no %s: scripts/k8s-tools.sh builds it: %w", name, err)
	}
	own := filepath.Join(dir, name)
	if err := os.MkdirAll(own, 0o755); err != nil {
		return nil, err
	}
	in := &Instance{name: name, dir: own, ready: ready, end: syscall.SIGTERM, drop: syscall.SIGKILL, command: append([]string{path}, command[1:]...)}
	return in, f.launch(ctx, in)
}

// answers asks for a page of the API server, as the administrator, in the belief that its certificate is the one in a file.
func (k *Kubernetes) answers(ctx context.Context, certificate, page string) error {
	trusted := x509.NewCertPool()
	if text, err := os.ReadFile(certificate); err != nil || !trusted.AppendCertsFromPEM(text) {
		return fmt.Errorf("read the API server's certificate: %w", err)
	}
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS13}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, page, http.NoBody)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+k.admin)
	return answersWell(transport, request)
}

// Kubectl runs kubectl as the administrator, and returns what it prints; what it complains of is in the error.
func (k *Kubernetes) Kubectl(ctx context.Context, args ...string) (string, error) {
	return k.KubectlWith(ctx, "", args...)
}

// KubectlWith does so with something to read, for --filename -.
func (k *Kubernetes) KubectlWith(ctx context.Context, input string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(k.tools, "kubectl"), args...) //nolint:gosec // a program that was built for this
	cmd.Env = append(cmd.Environ(), "KUBECONFIG="+k.Kubeconfig)
	cmd.Stdin = strings.NewReader(input)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	output, err := cmd.Output()
	if err != nil {
		return string(output), fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), err, complaint.String())
	}
	return string(output), nil
}
