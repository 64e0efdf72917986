// Package k8s_test applies the manifests of deploy/k8s to a real API server, with Kubernetes' own controllers and scheduler
// behind it, and watches what becomes of them. No container runs: nodes are played (services.StartKubernetes).
package k8s_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/porttest/services"
	"github.com/blabber-hive/blabber-hive/internal/run"
)

const (
	// toolsVariable names the folder that scripts/k8s-tools.sh prints.
	toolsVariable = "KUBERNETES_TOOLS"
	namespace     = "blabber-hive"
	ours          = "app.kubernetes.io/part-of=blabber-hive"
	// patience is how long anything may take. All of it is some minutes on two idle cores.
	patience = 10 * time.Minute
)

// tools is the folder of the control plane's programs.
func tools(t *testing.T) string {
	t.Helper()
	folder := os.Getenv(toolsVariable)
	if folder == "" {
		t.Fatalf("%s does not name the programs of Kubernetes: run make test-k8s, or set it to what scripts/k8s-tools.sh prints", toolsVariable)
	}
	return folder
}

// cluster is a Kubernetes with a copy of deploy/, whose secrets are drawn for it.
type cluster struct {
	*services.Kubernetes

	t    *testing.T
	root string // what stands for the project's folder
	env  []string
}

func start(t *testing.T) *cluster {
	t.Helper()
	root := t.TempDir()
	for _, folder := range []string{"deploy", "scripts"} {
		if err := os.CopyFS(filepath.Join(root, folder), os.DirFS(filepath.Join("../..", folder))); err != nil {
			t.Fatal(err)
		}
	}
	programs := tools(t)
	kubernetes, err := services.NewFolder(t).StartKubernetes(t.Context(), programs, 6)
	if err != nil {
		t.Fatal(err)
	}
	// By which the scripts find this kubectl and this cluster.
	env := append(os.Environ(), "KUBECONFIG="+kubernetes.Kubeconfig, "PATH="+programs+string(os.PathListSeparator)+os.Getenv("PATH"))
	c := &cluster{Kubernetes: kubernetes, t: t, root: root, env: env}
	c.script("secrets.sh")
	return c
}

// script runs one of the project's scripts in the copy of it, which must not fail, and returns what it prints.
func (c *cluster) script(name string, args ...string) string {
	c.t.Helper()
	output, err := c.run(name, args...)
	if err != nil {
		c.t.Fatalf("%s: %v\n%s", name, err, output)
	}
	return output
}

func (c *cluster) run(name string, args ...string) (output string, err error) {
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(c.root, "scripts", name), args...)
	cmd.Dir, cmd.Env = c.root, c.env
	said, err := cmd.CombinedOutput()
	return string(said), err
}

// do is kubectl, which must not fail.
func (c *cluster) do(args ...string) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	output, err := c.Kubectl(ctx, args...)
	if err != nil {
		c.t.Fatal(err)
	}
	return output
}

// object is what these tests read of any object.
type object struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name       string `json:"name"`
		Generation int64  `json:"generation"`
	} `json:"metadata"`
	Message string `json:"message"` // of an event
	Spec    struct {
		NodeName    string `json:"nodeName"`
		MinReplicas int    `json:"minReplicas"`
	} `json:"spec"`
	Status struct {
		CurrentReplicas int         `json:"currentReplicas"` // of an autoscaler
		CurrentHealthy  int         `json:"currentHealthy"`  // of a budget
		DesiredHealthy  int         `json:"desiredHealthy"`
		ExpectedPods    int         `json:"expectedPods"`
		Phase           string      `json:"phase"`
		Conditions      []condition `json:"conditions"`
	} `json:"status"`
}

type condition struct {
	Type   string `json:"type"`
	Status string `json:"status"`
}

// list is the objects of some kinds in the chat's namespace.
func (c *cluster) list(kinds string, more ...string) []object {
	c.t.Helper()
	var found struct {
		Items []object `json:"items"`
	}
	output := c.do(append([]string{"get", kinds, "--namespace", namespace, "--output=json"}, more...)...)
	if err := json.Unmarshal([]byte(output), &found); err != nil {
		c.t.Fatal(err)
	}
	return found.Items
}

// eventually waits until a condition holds; it says what is missing.
func (c *cluster) eventually(what string, condition func() error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	err := run.Retry(ctx, run.Backoff{First: 50 * time.Millisecond, Max: time.Second}, func(context.Context) error { return condition() })
	if err != nil {
		c.t.Fatalf("wait until %s: %v", what, err)
	}
}

// Promise: each overlay is admitted under the restricted Pod Security level, by strict validation and without a warning, be it by
// kubectl alone or by rollout.sh; everything in it becomes available and its jobs complete; a rollout and the emptying of
// a node keep the budgets; rolled out again nothing changes; and when it is deleted nothing is left.
func TestOverlays(t *testing.T) {
	t.Parallel()
	for _, overlay := range []string{"local", "eks"} {
		t.Run(overlay, func(t *testing.T) {
			t.Parallel()
			c := start(t)
			folder := filepath.Join(c.root, "deploy/k8s/overlays", overlay)
			said := c.do("apply", "--server-side", "--validate=strict", "--kustomize", folder)
			t.Logf("%d objects", strings.Count(said, "\n"))
			c.becomesAvailable()
			c.leavesNothing(folder)

			if output := c.script("rollout.sh", folder); strings.Contains(output, "Warning") {
				t.Errorf("it is applied with warnings:\n%s", output)
			}
			c.becomesAvailable()
			if scalers := c.list("horizontalpodautoscalers"); (len(scalers) > 0) != (overlay == "eks") {
				t.Errorf("there are %d autoscalers", len(scalers))
			}
			c.isScaled()
			c.backsUp()
			c.refusesTheUnrestricted()
			if names := c.changed(func() { c.script("rollout.sh", folder) }); len(names) > 0 {
				t.Errorf("what is there already is rolled out, and %v were changed", names)
			}
			c.keepsBudgets()
			c.leavesNothing(folder)
		})
	}
}

// becomesAvailable waits for all that rollout.sh does not wait for.
func (c *cluster) becomesAvailable() {
	c.t.Helper()
	if _, err := c.Kubectl(c.t.Context(), "wait", "--namespace", namespace, "--for=condition=Available", "--timeout=5m", "deployments", "--all"); err != nil {
		c.t.Fatalf("%v\n%s", err, c.do("get", "events", "--namespace", namespace, "--field-selector=type=Warning"))
	}
	c.do("wait", "--namespace", namespace, "--for=condition=Complete", "--timeout=5m", "job/migrate")
	for _, pod := range c.list("pods") {
		if pod.Status.Phase != "Running" && pod.Status.Phase != "Succeeded" {
			c.t.Errorf("the pod %s is %s", pod.Metadata.Name, pod.Status.Phase)
		}
	}
	for _, claim := range c.list("persistentvolumeclaims") {
		// The backups' volume waits for the first backup, where a class binds late.
		if claim.Status.Phase != "Bound" {
			c.t.Errorf("the claim %s is %s", claim.Metadata.Name, claim.Status.Phase)
		}
	}
	for _, event := range c.list("events", "--field-selector=reason=FailedCreate") {
		c.t.Errorf("a pod was refused: %s", event.Message)
	}
}

// backsUp makes jobs by hand, as docs/operations.md says, of what is run by the clock and of what only people run.
func (c *cluster) backsUp() {
	c.t.Helper()
	for _, name := range []string{"backup", "restore"} {
		c.do("create", "job", "--namespace", namespace, "--from=cronjob/"+name, name+"-by-hand")
		c.do("wait", "--namespace", namespace, "--for=condition=Complete", "--timeout=5m", "job/"+name+"-by-hand")
		c.do("delete", "job", "--namespace", namespace, name+"-by-hand")
	}
}

// isScaled waits until the autoscalers have found what they scale and brought it to the least that they may. Without a metrics
// server they can do no more here.
func (c *cluster) isScaled() {
	c.t.Helper()
	c.eventually("the autoscalers have scaled", func() error {
		for _, scaler := range c.list("horizontalpodautoscalers") {
			if !slices.Contains(scaler.Status.Conditions, condition{Type: "AbleToScale", Status: "True"}) || scaler.Status.CurrentReplicas < scaler.Spec.MinReplicas {
				return fmt.Errorf("%s has %d, and the conditions %v", scaler.Metadata.Name, scaler.Status.CurrentReplicas, scaler.Status.Conditions)
			}
		}
		return nil
	})
}

// refusesTheUnrestricted: the level is enforced, not only met.
func (c *cluster) refusesTheUnrestricted() {
	c.t.Helper()
	_, err := c.Kubectl(c.t.Context(), "run", "intruder", "--namespace", namespace, "--image=example.com/any:1", "--privileged")
	if err == nil || !strings.Contains(err.Error(), `violates PodSecurity "restricted`) {
		c.t.Errorf("a privileged pod: %v", err)
	}
}

// changed does something, and names the workloads of which it has made others, by name.
func (c *cluster) changed(do func()) (names []string) {
	c.t.Helper()
	const workloads = "deployments,statefulsets,cronjobs"
	before := c.list(workloads)
	do()
	for i, after := range c.list(workloads) {
		if after.Metadata != before[i].Metadata {
			names = append(names, after.Metadata.Name)
		}
	}
	slices.Sort(names)
	return names
}

// keepsBudgets replaces all pods of each Deployment, then empties a node, while somebody watches how many are there.
func (c *cluster) keepsBudgets() {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	watch := exec.CommandContext(ctx, filepath.Join(tools(c.t), "kubectl"), "get", "poddisruptionbudgets", "--namespace", namespace, "--watch", "--output=json")
	watch.Env = c.env
	var seen strings.Builder
	watch.Stdout = &seen
	if err := watch.Start(); err != nil {
		c.t.Fatal(err)
	}
	finish := func() { cancel(); _ = watch.Wait() }
	c.do("rollout", "restart", "--namespace", namespace, "deployments", "--selector", ours)
	for _, deployment := range c.list("deployments") {
		c.do("rollout", "status", "--namespace", namespace, "deployment/"+deployment.Metadata.Name, "--timeout=5m")
	}
	var node string
	for _, pod := range c.list("pods", "--selector", "app.kubernetes.io/name=gateway") {
		node = pod.Spec.NodeName
	}
	c.do("drain", node, "--delete-emptydir-data", "--force", "--timeout=5m")
	c.becomesAvailable()
	c.do("uncordon", node)
	finish()

	rounds, budgets := 0, map[string]bool{}
	for decoder := json.NewDecoder(strings.NewReader(seen.String())); ; rounds++ {
		var budget object
		if decoder.Decode(&budget) != nil {
			break
		}
		budgets[budget.Metadata.Name] = true
		if budget.Status.ExpectedPods == 0 || budget.Status.CurrentHealthy < budget.Status.DesiredHealthy {
			c.t.Errorf("the budget %s: %d of %d are there, %d must be", budget.Metadata.Name, budget.Status.CurrentHealthy, budget.Status.ExpectedPods, budget.Status.DesiredHealthy)
		}
	}
	if !budgets["gateway"] || !budgets["sequencer"] {
		c.t.Errorf("budgets were seen of %v only", budgets)
	}
	c.t.Logf("%d states of %d budgets, all kept", rounds, len(budgets))
}

// leavesNothing deletes the overlay and looks for anything of ours, in the namespace and outside.
func (c *cluster) leavesNothing(folder string) {
	c.t.Helper()
	c.do("delete", "--kustomize", folder, "--wait", "--timeout=5m")
	c.isGone()
}

func (c *cluster) isGone() {
	c.t.Helper()
	kinds := strings.Fields(c.do("api-resources", "--verbs=list", "--output=name"))
	c.eventually("everything is gone", func() error {
		left := c.do("get", strings.Join(kinds, ","), "--all-namespaces", "--selector", ours, "--ignore-not-found", "--output=name")
		volumes := c.do("get", "persistentvolumes,namespaces", "--output=name")
		if left != "" || strings.Contains(volumes, "persistentvolume/") || strings.Contains(volumes, namespace) {
			return fmt.Errorf("left:\n%s%s", left, volumes)
		}
		return nil
	})
}
