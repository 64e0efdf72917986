package k8stest_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/blabber-hive/blabber-hive/deploy/k8s/k8stest"
)

// fault is one that is planted: in a file, in place of something, to be found in an overlay, as a sentence.
type fault struct{ overlay, file, old, new, want string }

func podFaults() []fault {
	const (
		gateway, nginx, grafana = "deployments/gateway.yaml", "deployments/nginx.yaml", "deployments/grafana.yaml"
		postgres, broker        = "overlays/local/data/postgres.yaml", "overlays/local/data/broker.yaml"
	)
	return []fault{
		{"local", gateway, "runAsNonRoot: true", "runAsNonRoot: false", "Deployment gateway may run as root"},
		{"local", gateway, "runAsGroup: 65532", "runAsGroup: 0", "Deployment gateway may run as root"},
		{"local", gateway, "type: RuntimeDefault", "type: Unconfined", "has no seccomp profile"},
		{"local", gateway, "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "lets gateway gain rights"},
		{"local", gateway, "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "lets gateway write to its image"},
		{"local", broker, "drop: [ALL]", "drop: [NET_RAW]", "leaves config capabilities"},
		{"local", gateway, "automountServiceAccountToken: false", "automountServiceAccountToken: true", "is given a token"},
		{"local", gateway, "enableServiceLinks: false", "enableServiceLinks: true", "is given variables for each Service"},
		{"local", gateway, "serviceAccountName: blabber-hive", "serviceAccountName: somebody", `runs as "somebody"`},
		{"local", "base/namespace.yaml", "automountServiceAccountToken: false", "automountServiceAccountToken: true", `runs as "blabber-hive", who has a token`},
		{"local", gateway, "priorityClassName: blabber-hive-server", "priorityClassName: first", `has the priority "first"`},
		{"local", gateway, "      securityContext:\n        runAs", "      hostNetwork: true\n      securityContext:\n        runAs", "shares something with its machine"},
		{"local", gateway, "emptyDir:\n            sizeLimit: 16Mi", "hostPath:\n            path: /var", "has a folder of its machine: /var"},
		{"local", gateway, "emptyDir:\n            sizeLimit: 16Mi", "emptyDir: {}", "may fill its machine's disk by data"},
		{"local", grafana, "            - name: log\n              mountPath: /var/log/grafana\n", "", "has the volume log, which nobody uses"},
		{"eks", grafana, "            requests:\n              cpu: 50m\n", "            requests:\n", "does not say how much cpu grafana needs"},
		{"eks", grafana, "memory: 512Mi", "memory: 64Mi", "asks for more memory for grafana"},
		{"eks", "overlays/eks/kustomization.yaml", "GOMEMLIMIT, value: 800MiB", "GOMEMLIMIT, value: 1GiB", "collects memory of gateway at 1GiB"},
		{"local", nginx, "nginx:1.28.0-alpine", "nginx:latest", "runs nginx:latest, an image without a version"},
		{"local", nginx, "nginx:1.28.0-alpine", "nginx:1.27.0-alpine", "compose.yaml has version 1.28.0-alpine"},
		{"local", nginx, "nginx:1.28.0-alpine", "caddy:2.10.0", "runs caddy:2.10.0, which compose.yaml does not"},
		{"eks", "overlays/eks/kustomization.yaml", "/sentiment-analysis\n    newTag: v1", "/sentiment-analysis\n    newTag: latest", "an image without a version"},
		{"local", "deployments/fastapi.yaml", "          livenessProbe:", "          terminationMessagePath: /tmp/why\n          x:", "unknown field"},
		{"local", grafana, "            - name: http\n              containerPort: 3000\n", "            - name: http\n              containerPort: 3000\n          stdin: false\n", ""},
		{"local", broker, "          startupProbe:\n            tcpSocket:\n              port: kafka\n            periodSeconds: 5\n            timeoutSeconds: 5\n            failureThreshold: 60\n", "", "does not have broker asked how it is"},
		{"local", grafana, "port: http\n            periodSeconds: 20", "port: 3001\n            periodSeconds: 20", "has grafana asked on port 3001"},
		{"local", grafana, "periodSeconds: 20\n            timeoutSeconds: 5\n            failureThreshold: 6", "periodSeconds: 1\n            timeoutSeconds: 5\n            failureThreshold: 6", "has grafana killed before it counts as busy"},
		{"local", gateway, "terminationGracePeriodSeconds: 45", "terminationGracePeriodSeconds: 30", "is killed after 30s, and needs 30s"},
		{"local", "configmaps/blabber-hive.env", "SHUTDOWN_TIMEOUT=20s", "SHUTDOWN_TIMEOUT=60s", "Deployment sequencer is killed after 30s, and needs 1m0s"},
		{"local", "../compose/nginx/nginx.conf", "worker_shutdown_timeout 20s", "worker_shutdown_timeout 1m", "Deployment nginx is killed after 45s, and needs 1m10s"},
		{"eks", "overlays/eks/fastapi.yaml", "maxUnavailable: 1", "maxUnavailable: 3", "has a budget that lets all of its pods go"},
		{"local", nginx, "kind: PodDisruptionBudget\nmetadata:\n  name: nginx\n", "kind: PodDisruptionBudget\nmetadata:\n  name: nginx\n  annotations: {a: b}\n", ""},
		{"eks", "overlays/eks/kustomization.yaml", "  - fastapi.yaml\n", "", "Deployment fastapi has 3 pods and 0 budgets"},
		{"local", nginx, "topologyKey: kubernetes.io/hostname", "topologyKey: kubernetes.io/arch", "is not spread by kubernetes.io/hostname"},
		{"local", gateway, "maxUnavailable: 0", "maxUnavailable: 1", "takes pods away before others are there"},
		{"local", "deployments/migrate.yaml", "  activeDeadlineSeconds: 1800\n", "", "Job migrate may try for ever"},
		{"local", "backup/backup.yaml", "concurrencyPolicy: Forbid", "concurrencyPolicy: Allow", "CronJob backup may run late"},
		{"local", broker, "memory: 768Mi", "memory: 1Gi", "all pods of a small machine may use"},
		{"local", postgres, "        app.kubernetes.io/component: data\n    spec", "        app.kubernetes.io/component: base\n    spec", `are for "base", which is nothing`},
	}
}

func referenceFaults() []fault {
	return []fault{
		{"local", "deployments/exporters.yaml", "key: REDIS_ADDR", "key: REDIS_ADDRESS", "needs REDIS_ADDRESS of the Secret exporters"},
		{"eks", "overlays/eks/secrets.yaml", "secretKey: DATA_SOURCE_PASS", "secretKey: DATA_SOURCE_PASSWORD", "needs DATA_SOURCE_PASS of the Secret exporters"},
		{"eks", "overlays/eks/secrets.yaml", "kind: SecretStore\n    name: aws\n  target:\n    name: grafana", "kind: SecretStore\n    name: gcp\n  target:\n    name: grafana", `comes from "gcp"`},
		{"eks", "overlays/eks/secrets.yaml", "target:\n    name: grafana", "target:\n    name: graphana", "needs the Secret grafana, which nobody makes"},
		{"eks", "overlays/eks/secrets.yaml", "target:\n    name: grafana", "target:\n    name: graphana", "Secret graphana is read by nobody"},
		{"local", "deployments/nginx.yaml", "name: nginx-place", "name: nginx-places", "needs the ConfigMap nginx-places, which nobody makes"},
		{"local", "deployments/prometheus.yaml", "key: alerts.yml", "key: alarms.yml", "needs alarms.yml of the ConfigMap"},
		{"eks", "overlays/eks/kustomization.yaml", "--kafka.server=$(KAFKA_BROKER)", "--kafka.server=$(KAFKA_BROKERS)", "names $(KAFKA_BROKERS) in a command"},
		{"local", "backup/volume/claim.yaml", "name: backups", "name: backup-volume", "needs the volume backups, which nobody makes"},
		{"local", "backup/volume/claim.yaml", "name: backups", "name: backup-volume", "PersistentVolumeClaim backup-volume is read by nobody"},
		{"local", "deployments/prometheus.yaml", "- name: prometheus-data\n              mountPath", "- name: prometheus-disk\n              mountPath", "gives prometheus the volume prometheus-disk"},
		{"local", "services/servers.yaml", "app.kubernetes.io/component: server\n  ports", "app.kubernetes.io/component: servers\n  ports", "Service blabber-hive looks for app.kubernetes.io/component=servers"},
		{"local", "services/watch.yaml", "port: 9187\n      targetPort: http", "port: 9187\n      targetPort: 9188", "leads to port 9188 of postgres-exporter"},
		{"local", "services/watch.yaml", "clusterIP: None # there is one of it\n", "type: ClusterIP\n", "StatefulSet prometheus has no Service that names its pods"},
		{"eks", "overlays/eks/ingress.yaml", "                port:\n                  name: http", "                port:\n                  name: https", "Ingress nginx leads to nginx, which is no Service with that port"},
		{"local", "network/servers.yaml", "app.kubernetes.io/name: nginx\n      ports", "app.kubernetes.io/name: ngnix\n      ports", "NetworkPolicy gateway looks for app.kubernetes.io/name=ngnix"},
		{"local", "overlays/local/network.yaml", "[gateway, sequencer, redis-exporter]", "[gateway, sequencers, redis-exporter]", "NetworkPolicy to-redis looks for sequencers"},
		{"local", "deployments/nginx.yaml", "kind: PodDisruptionBudget\nmetadata:\n  name: nginx\n  labels:\n    app.kubernetes.io/name: nginx", "kind: PodDisruptionBudget\nmetadata:\n  name: nginx\n  labels:\n    app.kubernetes.io/names: nginx", "does not say what it is part of, and called"},
		{"eks", "autoscaling/sequencer.yaml", "maxReplicas: 12", "maxReplicas: 13", "makes up to 13 of sequencer, and there are 12 partitions"},
		{"eks", "autoscaling/gateway.yaml", "kind: Deployment\n    name: gateway", "kind: Deployment\n    name: gateways", "scales Deployment gateways, which is not there"},
		{"eks", "overlays/eks/kustomization.yaml", "- {op: remove, path: /spec/replicas}", "- {op: replace, path: /spec/replicas, value: 4}", "which says itself how many there are"},
		{"eks", "autoscaling/gateway.yaml", "name: blabber_gateway_connections", "name: blabber_connections", "asks for blabber_connections, which the adapter does not offer"},
		{"eks", "autoscaling/sequencer.yaml", "name: blabber_log_lag_records", "name: blabber_gateway_connections", "blabber_log_lag_records is asked for by nobody"},
		{"local", "configmaps/blabber-hive.env", "SIGNUP=open", "SIGNUP=open\nADMIN_PASSWORD=hunter2", "has ADMIN_PASSWORD, for everybody to read"},
		{"local", "deployments/grafana.yaml", "            - name: GF_USERS_ALLOW_SIGN_UP\n", "            - name: GF_SECURITY_SECRET_KEY\n              value: abc\n            - name: GF_USERS_ALLOW_SIGN_UP\n", "has GF_SECURITY_SECRET_KEY, for everybody to read"},
	}
}

func arrowFaults() []fault {
	const local, servers, watch = "overlays/local/network.yaml", "network/servers.yaml", "network/watch.yaml"
	return []fault{
		{"local", "network/all.yaml", "policyTypes: [Ingress, Egress]", "policyTypes: [Ingress]", "nobody is forbidden everything"},
		{"local", "network/all.yaml", "policyTypes: [Ingress, Egress]", "policyTypes: [Egress]", "StatefulSet grafana lets everybody in"},
		{"local", servers, "          port: 8000\n---", "          port: 8000\n        - protocol: TCP\n          port: 22\n---", "sequencer → fastapi:22 is let out, and not in"},
		{"local", servers, "app.kubernetes.io/name: prometheus\n      ports:\n        - protocol: TCP\n          port: 8090\n---\n# Moods", "app.kubernetes.io/name: grafana\n      ports:\n        - protocol: TCP\n          port: 8090\n---\n# Moods", "prometheus → gateway:8090 is let out, and not in"},
		{"local", watch, "          port: 9308\n", "          port: 9309\n", "prometheus → kafka-exporter:9308 is an arrow of the design, and is not allowed"},
		{"local", local, "[gateway, sequencer, redis-exporter]", "[gateway, sequencer, redis-exporter, fastapi]", "fastapi → redis:6379 is let out, and not in"},
		{"local", local, "- key: app.kubernetes.io/name\n        operator: In\n        values: [gateway, sequencer, migrate, backup, restore, postgres-exporter]", "- key: app.kubernetes.io/part-of\n        operator: In\n        values: [blabber-hive]", "fastapi → postgres:5432 is let out, and not in"},
		{"local", local, "  ingress:\n    - ports:\n        - protocol: TCP\n          port: 8080", "  ingress:\n    - ports:\n        - protocol: TCP\n          port: 8080\n        - protocol: TCP\n          port: 8081", "anybody → nginx:8081 is allowed, and is no arrow of the design"},
		{"local", local, "  ingress:\n    - ports:\n        - protocol: TCP\n          port: 8080", "  ingress:\n    - {}", "anybody → nginx:0 may be called on every port"},
		{"local", "network/all.yaml", "        - protocol: UDP\n          port: 53\n", "        - protocol: UDP\n          port: 53\n    - to:\n        - ipBlock:\n            cidr: 0.0.0.0/0\n      ports:\n        - protocol: TCP\n          port: 443\n", "everybody → 0.0.0.0/0:443 is allowed, and is no arrow"},
		{"eks", "overlays/eks/network.yaml", "port: 9096", "port: 9092", "→ broker:9096 is an arrow of the design, and is not allowed"},
		{"eks", "overlays/eks/network.yaml", "cidr: 169.254.170.23/32", "cidr: 169.254.0.0/16", "backup → 169.254.0.0/16:80 is allowed"},
		{"eks", "overlays/eks/network.yaml", "              kubernetes.io/metadata.name: monitoring", "              kubernetes.io/metadata.name: default", "prometheus-adapter → prometheus:9090 is an arrow of the design, and is not allowed"},
		{"local", watch, "    - to:\n        - podSelector:\n            matchLabels:\n              app.kubernetes.io/name: redis-exporter\n      ports:\n        - protocol: TCP\n          port: 9121\n", "", "prometheus → redis-exporter:9121 is let in, and not out"},
	}
}

// Promise: the checks can fail. Each row plants a fault.
func TestPlantedFaults(t *testing.T) {
	t.Parallel()
	files := files(t)
	for i, fault := range slices.Concat(podFaults(), referenceFaults(), arrowFaults()) {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			fault.plant(t, files)
		})
	}
}

// plant plants the fault, and looks whether it is found; what is not wrong must not be.
func (f fault) plant(t *testing.T, files k8stest.Files) {
	t.Helper()
	name := "deploy/k8s/" + f.file
	if rest, up := strings.CutPrefix(f.file, "../"); up {
		name = "deploy/" + rest
	}
	if !strings.Contains(files[name], f.old) {
		t.Fatalf("%s does not have %q any more", name, f.old)
	}
	broken := maps.Clone(files)
	broken[name] = strings.Replace(broken[name], f.old, f.new, 1)
	var said []string
	if m, err := k8stest.Render(broken, overlays()[f.overlay]); err != nil {
		said = []string{err.Error()}
	} else {
		said = problems(t, m, f.overlay)
	}
	found := slices.ContainsFunc(said, func(problem string) bool { return strings.Contains(problem, f.want) })
	switch {
	case f.want == "" && len(said) > 0:
		t.Errorf("%s: %q is no fault, and is said to be: %q", f.file, f.new, said)
	case f.want != "" && !found:
		t.Errorf("%s: %q is not found: %q", f.file, f.new, said)
	}
}
