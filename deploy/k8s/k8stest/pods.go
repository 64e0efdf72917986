package k8stest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const (
	nameLabel      = "app.kubernetes.io/name"
	componentLabel = "app.kubernetes.io/component"
	partLabel      = "app.kubernetes.io/part-of"
	product        = "blabber-hive"
)

// components are what workloads are for.
func components() []string {
	return []string{"server", "model", "door", "data", "watch", "migration", "backup"}
}

// checker finds what is wrong with manifests.
type checker struct {
	*Manifests
	problems []string
}

func (c *checker) found(where fmt.Stringer, format string, args ...any) {
	c.problems = append(c.problems, where.String()+" "+fmt.Sprintf(format, args...))
}

// thing names what is no workload.
type thing string

func (t thing) String() string { return string(t) }

// CheckPods answers with a sentence for each rule of the house that a pod does not keep. versions are the images of compose.yaml by
// name, with their versions.
func CheckPods(m *Manifests, versions map[string]string) []string {
	c := &checker{Manifests: m}
	for _, w := range m.Workloads() {
		c.rights(w)
		c.labels(w)
		for _, container := range containers(w.Pod) {
			c.locked(w, container)
			c.resources(w, container)
			c.image(w, container, versions)
		}
		for _, volume := range w.Pod.Volumes {
			c.volume(w, volume)
		}
		if !w.Ends {
			for _, container := range w.Pod.Containers {
				c.probes(w, container)
			}
			c.together(w)
		}
		c.grace(w)
	}
	c.rollouts()
	c.ends()
	return c.problems
}

func is(value *bool, want bool) bool { return value != nil && *value == want }

// rights looks at what a pod may do, which Kubernetes' restricted level asks for, and a little more.
func (c *checker) rights(w Workload) {
	pod, rights := w.Pod, w.Pod.SecurityContext
	switch {
	case rights == nil:
		c.found(w, "says nothing of its rights")
	case !is(rights.RunAsNonRoot, true) || rights.RunAsUser == nil || *rights.RunAsUser == 0 || rights.RunAsGroup == nil || *rights.RunAsGroup == 0:
		c.found(w, "may run as root")
	case rights.SeccompProfile == nil || rights.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault:
		c.found(w, "may call whatever the kernel has: it has no seccomp profile")
	}
	if pod.HostNetwork || pod.HostPID || pod.HostIPC {
		c.found(w, "shares something with its machine")
	}
	if !is(pod.AutomountServiceAccountToken, false) {
		c.found(w, "is given a token for Kubernetes")
	}
	if !is(pod.EnableServiceLinks, false) {
		c.found(w, "is given variables for each Service")
	}
	accounts := slices.IndexFunc(c.Accounts, func(account corev1.ServiceAccount) bool { return account.Name == pod.ServiceAccountName })
	if accounts < 0 {
		c.found(w, "runs as %q, whom nobody makes", pod.ServiceAccountName)
	} else if !is(c.Accounts[accounts].AutomountServiceAccountToken, false) {
		c.found(w, "runs as %q, who has a token", pod.ServiceAccountName)
	}
	if !slices.ContainsFunc(c.priorityNames(), func(name string) bool { return name == pod.PriorityClassName }) {
		c.found(w, "has the priority %q, which nobody makes", pod.PriorityClassName)
	}
}

func (m *Manifests) priorityNames() []string {
	var names []string
	for _, priority := range m.Priorities {
		names = append(names, priority.Name)
	}
	return names
}

// labels looks at what pods are found by.
func (c *checker) labels(w Workload) {
	if w.Labels[nameLabel] != w.Name {
		c.found(w, "has pods that are called %q", w.Labels[nameLabel])
	}
	if !slices.Contains(components(), w.Labels[componentLabel]) {
		c.found(w, "has pods that are for %q, which is nothing", w.Labels[componentLabel])
	}
	if w.Labels[partLabel] != product {
		c.found(w, "has pods that are part of %q", w.Labels[partLabel])
	}
	if w.Selector != nil && !selects(w.Selector, w.Labels) {
		c.found(w, "does not find its own pods")
	}
}

// locked looks at what a container may do.
func (c *checker) locked(w Workload, container corev1.Container) {
	rights := container.SecurityContext
	switch {
	case rights == nil:
		c.found(w, "says nothing of the rights of %s", container.Name)
		return
	case rights.Privileged != nil && *rights.Privileged, rights.RunAsUser != nil, rights.RunAsNonRoot != nil:
		c.found(w, "gives %s rights of its own", container.Name)
	}
	if !is(rights.AllowPrivilegeEscalation, false) {
		c.found(w, "lets %s gain rights", container.Name)
	}
	if !is(rights.ReadOnlyRootFilesystem, true) {
		c.found(w, "lets %s write to its image", container.Name)
	}
	if rights.Capabilities == nil || !slices.Equal(rights.Capabilities.Drop, []corev1.Capability{"ALL"}) || len(rights.Capabilities.Add) > 0 {
		c.found(w, "leaves %s capabilities", container.Name)
	}
}

func (c *checker) resources(w Workload, container corev1.Container) {
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		request, asked := container.Resources.Requests[name]
		limit, limited := container.Resources.Limits[name]
		switch {
		case !asked || !limited:
			c.found(w, "does not say how much %s %s needs and may have", name, container.Name)
		case request.Cmp(limit) > 0:
			c.found(w, "asks for more %s for %s than it may have", name, container.Name)
		}
	}
	limit, set := c.Environment(container)["GOMEMLIMIT"]
	if !set {
		return
	}
	soft, err := resource.ParseQuantity(strings.TrimSuffix(limit, "B"))
	if most := container.Resources.Limits[corev1.ResourceMemory]; err != nil || soft.Cmp(most) >= 0 {
		c.found(w, "collects memory of %s at %s, where it has been killed", container.Name, limit)
	}
}

// image looks at what is run: of one version, and of compose's where compose has it.
func (c *checker) image(w Workload, container corev1.Container, versions map[string]string) {
	name, version, _ := strings.Cut(container.Image, ":")
	if !strings.ContainsAny(version, "0123456789") {
		c.found(w, "runs %s, an image without a version", container.Image)
		return
	}
	short := name[strings.LastIndexByte(name, '/')+1:]
	for _, known := range []string{name, short} {
		if want, both := versions[known]; both {
			if version != want {
				c.found(w, "runs %s, compose.yaml has version %s", container.Image, want)
			}
			return
		}
	}
	if name != "restic/restic" { // for backups alone, which compose does otherwise
		c.found(w, "runs %s, which compose.yaml does not", container.Image)
	}
}

func (c *checker) volume(w Workload, volume corev1.Volume) {
	switch {
	case volume.HostPath != nil:
		c.found(w, "has a folder of its machine: %s", volume.HostPath.Path)
	case volume.EmptyDir != nil && volume.EmptyDir.SizeLimit == nil:
		c.found(w, "may fill its machine's disk by %s", volume.Name)
	}
	used := slices.ContainsFunc(containers(w.Pod), func(container corev1.Container) bool {
		return slices.ContainsFunc(container.VolumeMounts, func(mount corev1.VolumeMount) bool { return mount.Name == volume.Name })
	})
	if !used {
		c.found(w, "has the volume %s, which nobody uses", volume.Name)
	}
}

// probes looks at how Kubernetes asks a container that serves how it is.
func (c *checker) probes(w Workload, container corev1.Container) {
	exporter := strings.HasSuffix(container.Name, "-exporter") // small, and ready at once
	switch {
	case len(container.Ports) == 0:
		c.found(w, "says no port of %s", container.Name)
	case container.ReadinessProbe == nil || container.LivenessProbe == nil || container.StartupProbe == nil && !exporter:
		c.found(w, "does not have %s asked how it is", container.Name)
		return
	}
	for _, probe := range []*corev1.Probe{container.StartupProbe, container.ReadinessProbe, container.LivenessProbe} {
		if probe == nil {
			continue
		}
		if probe.PeriodSeconds == 0 || probe.TimeoutSeconds == 0 || probe.FailureThreshold == 0 {
			c.found(w, "does not say how often and how long %s is asked", container.Name)
		}
		if port := probePort(probe); port != "" && !listens(container, port) {
			c.found(w, "has %s asked on port %s, on which it does not listen", container.Name, port)
		}
	}
	// Whoever is merely busy is sent nobody; he is not killed for it.
	if patience(container.LivenessProbe) <= patience(container.ReadinessProbe) {
		c.found(w, "has %s killed before it counts as busy", container.Name)
	}
}

func patience(p *corev1.Probe) time.Duration {
	return time.Duration(p.PeriodSeconds*p.FailureThreshold) * time.Second
}

func probePort(p *corev1.Probe) string {
	switch {
	case p.HTTPGet != nil:
		return p.HTTPGet.Port.String()
	case p.TCPSocket != nil:
		return p.TCPSocket.Port.String()
	}
	return ""
}

// listens reports whether a container has a port, given by its name or number.
func listens(container corev1.Container, port string) bool {
	return slices.ContainsFunc(container.Ports, func(p corev1.ContainerPort) bool {
		return p.Name == port || strconv.Itoa(int(p.ContainerPort)) == port
	})
}

// together looks at what keeps several pods of one kind from going at once.
func (c *checker) together(w Workload) {
	var budgets int
	for _, budget := range c.Budgets {
		if !selects(budget.Spec.Selector, w.Labels) {
			continue
		}
		budgets++
		most := budget.Spec.MaxUnavailable
		if most == nil || most.Type != intstr.Int || most.IntVal < 1 || most.IntVal >= w.Replicas {
			c.found(w, "has a budget that lets all of its pods go, or none")
		}
	}
	if want := w.Replicas > 1; budgets > 1 || want != (budgets == 1) {
		c.found(w, "has %d pods and %d budgets", w.Replicas, budgets)
	}
	if w.Replicas < 2 {
		return
	}
	for _, key := range []string{"topology.kubernetes.io/zone", "kubernetes.io/hostname"} {
		spread := slices.ContainsFunc(w.Pod.TopologySpreadConstraints, func(spread corev1.TopologySpreadConstraint) bool {
			return spread.TopologyKey == key && spread.MaxSkew == 1 && selects(spread.LabelSelector, w.Labels)
		})
		if !spread {
			c.found(w, "is not spread by %s", key)
		}
	}
}

// grace looks at how long a pod may take to stop: longer than what is done before and what it takes itself.
func (c *checker) grace(w Workload) {
	if w.Pod.TerminationGracePeriodSeconds == nil {
		if !w.Ends {
			c.found(w, "does not say how long it may take to stop")
		}
		return
	}
	grace := time.Duration(*w.Pod.TerminationGracePeriodSeconds) * time.Second
	var needs time.Duration
	for _, container := range w.Pod.Containers {
		if hook := container.Lifecycle; hook != nil && hook.PreStop != nil && hook.PreStop.Sleep != nil {
			needs += time.Duration(hook.PreStop.Sleep.Seconds) * time.Second
		}
		switch w.Labels[componentLabel] {
		case "server":
			needs += duration(c.Environment(container)["SHUTDOWN_TIMEOUT"])
		case "door":
			text := regexp.MustCompile(`worker_shutdown_timeout (\w+);`).FindStringSubmatch(c.Config("nginx")["nginx.conf"])
			if text == nil {
				c.found(w, "has an nginx.conf that does not say how long old workers go on")
				return
			}
			needs += duration(text[1])
		}
	}
	if component := w.Labels[componentLabel]; (component == "server" || component == "door") && needs < 10*time.Second {
		c.found(w, "is said to stop within %v, which cannot be", needs)
	}
	if grace <= needs {
		c.found(w, "is killed after %v, and needs %v to stop", grace, needs)
	}
}

func duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0
	}
	return d
}

// rollouts looks at how Deployments of several pods are replaced: the next one first.
func (c *checker) rollouts() {
	for _, d := range c.Deployments {
		if c.replicas(d.Name, d.Spec.Replicas) < 2 {
			continue
		}
		rolling := d.Spec.Strategy.RollingUpdate
		if rolling == nil || rolling.MaxUnavailable == nil || rolling.MaxUnavailable.String() != "0" {
			c.found(thing("Deployment "+d.Name), "takes pods away before others are there")
		}
	}
}

// ends looks at what makes work end that does not end by itself.
func (c *checker) ends() {
	for _, j := range c.Jobs {
		if j.Spec.BackoffLimit == nil || j.Spec.ActiveDeadlineSeconds == nil || j.Spec.TTLSecondsAfterFinished == nil {
			c.found(thing("Job "+j.Name), "may try for ever, or stay for ever")
		}
	}
	for _, j := range c.CronJobs {
		if is(j.Spec.Suspend, true) {
			continue
		}
		if j.Spec.StartingDeadlineSeconds == nil || j.Spec.JobTemplate.Spec.ActiveDeadlineSeconds == nil || j.Spec.ConcurrencyPolicy != "Forbid" {
			c.found(thing("CronJob "+j.Name), "may run late, for ever, or twice at once")
		}
	}
}

// Memory is what the pods of an overlay may use together, with everything running that may run at once: all but what is suspended,
// which is for when the servers are stopped. A rollout adds a pod for a moment.
func (m *Manifests) Memory() resource.Quantity {
	var total resource.Quantity
	for _, w := range m.Workloads() {
		if w.Suspended {
			continue
		}
		var sum, most resource.Quantity
		for _, container := range w.Pod.Containers {
			sum.Add(container.Resources.Limits[corev1.ResourceMemory])
		}
		for _, container := range w.Pod.InitContainers { // one after the other, before the others
			if limit := container.Resources.Limits[corev1.ResourceMemory]; limit.Cmp(most) > 0 {
				most = limit
			}
		}
		if most.Cmp(sum) > 0 {
			sum = most
		}
		for range w.Replicas {
			total.Add(sum)
		}
	}
	return total
}
