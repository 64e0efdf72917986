package k8stest

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Arrow is that one may call another. Both are workloads' names, or in words what is none: addresses, or pods elsewhere.
type Arrow struct {
	From, To string
	Port     int32
}

func (a Arrow) String() string { return fmt.Sprintf("%s → %s:%d", a.From, a.To, a.Port) }

func compareArrows(a, b Arrow) int {
	return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Port, b.Port))
}

const (
	// everybody is all pods of the chat, anybody whoever is outside of the cluster.
	everybody = "everybody"
	anybody   = "anybody"
	// anyPort is a port that nobody has: who may call it may call all.
	anyPort = 0
)

// Arrows derives from the NetworkPolicies who may call whom, and what the two ends of a call say differently: an arrow takes a policy
// that lets it out and one that lets it in.
func Arrows(m *Manifests) (arrows []Arrow, problems []string) {
	n := network{workloads: m.Workloads(), policies: m.Policies}
	n.ports = n.allPorts()
	problems = n.open()
	for _, from := range n.workloads {
		for _, to := range n.workloads {
			for _, port := range n.ports {
				arrow := Arrow{from.Name, to.Name, port}
				out, saidOut := n.allows(from, networkingv1.PolicyTypeEgress, to, port)
				in, saidIn := n.allows(to, networkingv1.PolicyTypeIngress, from, port)
				switch {
				case out && in:
					arrows = append(arrows, arrow)
				case saidOut:
					problems = append(problems, fmt.Sprintf("%s is let out, and not in", arrow))
				case saidIn:
					problems = append(problems, fmt.Sprintf("%s is let in, and not out", arrow))
				}
			}
		}
	}
	arrows = append(arrows, n.beyond()...)
	for _, arrow := range arrows {
		if arrow.Port == anyPort {
			problems = append(problems, fmt.Sprintf("%s may be called on every port", arrow))
		}
	}
	slices.SortFunc(arrows, compareArrows)
	return slices.Compact(arrows), problems
}

// open is who is held by no policy, in or out; and that there is one that holds all, also those who come later.
func (n network) open() []string {
	var problems []string
	all := slices.ContainsFunc(n.policies, func(policy networkingv1.NetworkPolicy) bool {
		spec := policy.Spec
		return len(spec.PodSelector.MatchLabels)+len(spec.PodSelector.MatchExpressions)+len(spec.Ingress)+len(spec.Egress) == 0 && len(spec.PolicyTypes) == 2
	})
	if !all {
		problems = append(problems, "nobody is forbidden everything, so that who comes later is forbidden nothing")
	}
	for _, w := range n.workloads {
		for direction, what := range map[networkingv1.PolicyType]string{networkingv1.PolicyTypeIngress: "lets everybody in", networkingv1.PolicyTypeEgress: "is let out to everybody"} {
			held := slices.ContainsFunc(n.policies, func(policy networkingv1.NetworkPolicy) bool {
				return slices.Contains(policy.Spec.PolicyTypes, direction) && selects(&policy.Spec.PodSelector, w.Labels)
			})
			if !held {
				problems = append(problems, w.String()+" "+what)
			}
		}
	}
	return problems
}

type network struct {
	workloads []Workload
	policies  []networkingv1.NetworkPolicy
	ports     []int32
}

// allPorts are the ports on which somebody listens or that a policy names, and one that neither does.
func (n network) allPorts() []int32 {
	ports := []int32{anyPort}
	for _, w := range n.workloads {
		for _, container := range w.Pod.Containers {
			for _, port := range container.Ports {
				ports = append(ports, port.ContainerPort)
			}
		}
	}
	for _, policy := range n.policies {
		for _, rule := range append(rules(policy, networkingv1.PolicyTypeIngress), rules(policy, networkingv1.PolicyTypeEgress)...) {
			for _, port := range rule.ports {
				if port.Port != nil {
					ports = append(ports, port.Port.IntVal)
				}
			}
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// rule is one of a policy, in or out.
type rule struct {
	peers []networkingv1.NetworkPolicyPeer
	ports []networkingv1.NetworkPolicyPort
}

func rules(policy networkingv1.NetworkPolicy, direction networkingv1.PolicyType) []rule {
	var all []rule
	if direction == networkingv1.PolicyTypeIngress {
		for _, in := range policy.Spec.Ingress {
			all = append(all, rule{in.From, in.Ports})
		}
		return all
	}
	for _, out := range policy.Spec.Egress {
		all = append(all, rule{out.To, out.Ports})
	}
	return all
}

// takes reports whether a rule is of a port.
func (r rule) takes(port int32) bool {
	return len(r.ports) == 0 || slices.ContainsFunc(r.ports, func(p networkingv1.NetworkPolicyPort) bool {
		end := int32(0)
		if p.EndPort != nil {
			end = *p.EndPort
		}
		return p.Port == nil || p.Port.IntVal == port || port != anyPort && p.Port.IntVal <= port && port <= end
	})
}

// allows reports whether the policies of a workload let it call another, or be called by it, and whether one of them names that one.
func (n network) allows(w Workload, direction networkingv1.PolicyType, other Workload, port int32) (allowed, named bool) {
	held := false
	for _, policy := range n.policies {
		if !slices.Contains(policy.Spec.PolicyTypes, direction) || !selects(&policy.Spec.PodSelector, w.Labels) {
			continue
		}
		held = true
		for _, rule := range rules(policy, direction) {
			if !rule.takes(port) {
				continue
			}
			if len(rule.peers) == 0 {
				allowed = true
			}
			for _, peer := range rule.peers {
				if peer.NamespaceSelector == nil && peer.PodSelector != nil && selects(peer.PodSelector, other.Labels) {
					allowed, named = true, true
				}
			}
		}
	}
	return allowed || !held, named
}

// beyond are the arrows that begin or end outside of the chat.
func (n network) beyond() []Arrow {
	var arrows []Arrow
	for _, policy := range n.policies {
		for _, w := range n.selected(policy) {
			for _, direction := range policy.Spec.PolicyTypes {
				for _, rule := range rules(policy, direction) {
					for _, name := range rule.strangers() {
						for _, port := range n.ports {
							if !rule.takes(port) {
								continue
							}
							if direction == networkingv1.PolicyTypeIngress {
								arrows = append(arrows, Arrow{name, w, port})
							} else {
								arrows = append(arrows, Arrow{w, name, port})
							}
						}
					}
				}
			}
		}
	}
	return arrows
}

// selected are the names of those whom a policy is for.
func (n network) selected(policy networkingv1.NetworkPolicy) []string {
	if len(policy.Spec.PodSelector.MatchLabels)+len(policy.Spec.PodSelector.MatchExpressions) == 0 {
		return []string{everybody}
	}
	var names []string
	for _, w := range n.workloads {
		if selects(&policy.Spec.PodSelector, w.Labels) {
			names = append(names, w.Name)
		}
	}
	return names
}

// strangers are those of a rule that are not of the chat, in words.
func (r rule) strangers() []string {
	if len(r.peers) == 0 {
		return []string{anybody}
	}
	var names []string
	for _, peer := range r.peers {
		switch {
		case peer.IPBlock != nil && len(peer.IPBlock.Except) > 0:
			names = append(names, peer.IPBlock.CIDR+" without "+strings.Join(peer.IPBlock.Except, ", "))
		case peer.IPBlock != nil:
			names = append(names, peer.IPBlock.CIDR)
		case peer.NamespaceSelector != nil && peer.PodSelector != nil:
			names = append(names, metav1.FormatLabelSelector(peer.NamespaceSelector)+" "+metav1.FormatLabelSelector(peer.PodSelector))
		case peer.NamespaceSelector != nil:
			names = append(names, metav1.FormatLabelSelector(peer.NamespaceSelector))
		}
	}
	return names
}

// Expected reads the arrows of a table of docs/architecture.md: who, whom, ports, where and why.
func Expected(text, overlay string) ([]Arrow, error) {
	_, table, found := strings.Cut(text, "\n### Who talks to whom in Kubernetes\n")
	if !found {
		return nil, fmt.Errorf("docs/architecture.md does not say who talks to whom")
	}
	table, _, _ = strings.Cut(table, "\n#")
	var arrows []Arrow
	for _, line := range regexp.MustCompile(`(?m)^\| ([^|]*) \| ([^|]*) \| ([0-9, ]+) \|([a-z, ]*)\| [^|]* \|$`).FindAllStringSubmatch(table, -1) {
		if where := words(line[4]); len(where) > 0 && !slices.Contains(where, overlay) {
			continue
		}
		for _, from := range words(line[1]) {
			for _, to := range words(line[2]) {
				for _, port := range words(line[3]) {
					number, err := strconv.ParseInt(port, 10, 32)
					if err != nil {
						return nil, fmt.Errorf("read the port of %q: %w", line[0], err)
					}
					arrows = append(arrows, Arrow{from, to, int32(number)})
				}
			}
		}
	}
	slices.SortFunc(arrows, compareArrows)
	return arrows, nil
}

func words(text string) []string {
	var all []string
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.Trim(strings.TrimSpace(word), "`"); word != "" {
			all = append(all, word)
		}
	}
	return all
}

// Differences answers with a sentence for each arrow that one list has and the other has not. The names that arrows have in
// policies, where they are of no workload, are replaced by those of the table.
func Differences(allowed, expected []Arrow, names map[string]string) []string {
	var problems []string
	var renamed []Arrow
	for _, arrow := range allowed {
		// Addresses are those of several: which is meant is told by the port.
		if name, known := names[fmt.Sprintf("%s:%d", arrow.To, arrow.Port)]; known {
			arrow.To = name
		}
		for _, end := range []*string{&arrow.From, &arrow.To} {
			if name, known := names[*end]; known {
				*end = name
			}
		}
		renamed = append(renamed, arrow)
		if !slices.Contains(expected, arrow) {
			problems = append(problems, fmt.Sprintf("%s is allowed, and is no arrow of the design", arrow))
		}
	}
	for _, arrow := range expected {
		if !slices.Contains(renamed, arrow) {
			problems = append(problems, fmt.Sprintf("%s is an arrow of the design, and is not allowed", arrow))
		}
	}
	return problems
}

// Unreached are ports on which somebody listens and nobody may call; what is asked by the machine that a pod is on needs no arrow.
func Unreached(m *Manifests, arrows []Arrow) []string {
	var problems []string
	for _, w := range m.Workloads() {
		for _, container := range w.Pod.Containers {
			for _, port := range container.Ports {
				called := slices.ContainsFunc(arrows, func(a Arrow) bool { return a.To == w.Name && a.Port == port.ContainerPort })
				if !called && !probed(container, port) {
					problems = append(problems, fmt.Sprintf("%s listens on port %d, and nobody may call it", w, port.ContainerPort))
				}
			}
		}
	}
	return problems
}

func probed(container corev1.Container, port corev1.ContainerPort) bool {
	probe := container.ReadinessProbe
	return probe != nil && (probePort(probe) == port.Name || probePort(probe) == strconv.Itoa(int(port.ContainerPort)))
}
