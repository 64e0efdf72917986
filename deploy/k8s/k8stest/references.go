package k8stest

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CheckReferences answers with a sentence for each thing that one object says of another and that is not so, for each that nobody
// needs, and for each secret that is where everybody can read it.
func CheckReferences(m *Manifests) []string {
	c := &checker{Manifests: m}
	c.objectLabels()
	used := map[string]bool{}
	for _, w := range m.Workloads() {
		for _, container := range containers(w.Pod) {
			c.variables(w, container, used)
		}
		c.volumes(w, used)
	}
	c.unused(used)
	c.selectors()
	c.ports()
	c.scalers()
	c.secrets()
	return c.problems
}

// objectLabels looks at what objects are found by.
func (c *checker) objectLabels() {
	for _, object := range c.objects {
		where := thing(c.kindOf[object] + " " + object.GetName())
		labels := object.GetLabels()
		if labels[partLabel] != product || labels[nameLabel] == "" {
			c.found(where, "does not say what it is part of, and called")
		}
		if component, has := labels[componentLabel]; has && !slices.Contains(components(), component) {
			c.found(where, "is for %q, which is nothing", component)
		}
		switch c.kindOf[object] {
		case "Namespace", "PriorityClass", "StorageClass": // of no namespace
		default:
			if object.GetNamespace() != product {
				c.found(where, "is in the namespace %q", object.GetNamespace())
			}
		}
	}
}

// keys are what a ConfigMap or Secret has; nil where there is none of that name.
func (c *checker) keys(kind, name string) map[string]string {
	if kind == "Secret" {
		if values := c.secret(name); len(values) > 0 {
			return values
		}
		return nil
	}
	for _, config := range c.ConfigMaps {
		if config.Name == name {
			return config.Data
		}
	}
	return nil
}

// need looks whether a ConfigMap or Secret has what is asked of it: some keys, or to be there at all.
func (c *checker) need(w Workload, used map[string]bool, kind, name string, optional *bool, keys ...string) {
	used[kind+" "+name] = true
	has := c.keys(kind, name)
	if has == nil {
		if !is(optional, true) {
			c.found(w, "needs the %s %s, which nobody makes", kind, name)
		}
		return
	}
	for _, key := range keys {
		if _, found := has[key]; !found {
			c.found(w, "needs %s of the %s %s, which does not have it", key, kind, name)
		}
	}
}

func (c *checker) variables(w Workload, container corev1.Container, used map[string]bool) {
	for _, from := range container.EnvFrom {
		if ref := from.ConfigMapRef; ref != nil {
			c.need(w, used, "ConfigMap", ref.Name, ref.Optional)
		}
		if ref := from.SecretRef; ref != nil {
			c.need(w, used, "Secret", ref.Name, ref.Optional)
		}
	}
	for _, variable := range container.Env {
		from := variable.ValueFrom
		switch {
		case from == nil:
		case from.ConfigMapKeyRef != nil:
			c.need(w, used, "ConfigMap", from.ConfigMapKeyRef.Name, from.ConfigMapKeyRef.Optional, from.ConfigMapKeyRef.Key)
		case from.SecretKeyRef != nil:
			c.need(w, used, "Secret", from.SecretKeyRef.Name, from.SecretKeyRef.Optional, from.SecretKeyRef.Key)
		}
	}
	values := c.Environment(container)
	for _, arg := range append(slices.Clone(container.Args), container.Command...) {
		for _, match := range regexp.MustCompile(`\$\(([A-Z_]+)\)`).FindAllStringSubmatch(arg, -1) {
			if _, set := values[match[1]]; !set {
				c.found(w, "names %s in a command, which is not set", match[0])
			}
		}
	}
}

func itemKeys(items []corev1.KeyToPath) []string {
	var keys []string
	for _, item := range items {
		keys = append(keys, item.Key)
	}
	return keys
}

func (c *checker) volumes(w Workload, used map[string]bool) {
	names := map[string]bool{}
	for _, claim := range w.Claims {
		names[claim.Name] = true
	}
	for _, volume := range w.Pod.Volumes {
		names[volume.Name] = true
		if config := volume.ConfigMap; config != nil {
			c.need(w, used, "ConfigMap", config.Name, config.Optional, itemKeys(config.Items)...)
		}
		if secret := volume.Secret; secret != nil {
			c.need(w, used, "Secret", secret.SecretName, secret.Optional, itemKeys(secret.Items)...)
		}
		if volume.Projected != nil {
			for _, source := range volume.Projected.Sources {
				if config := source.ConfigMap; config != nil {
					c.need(w, used, "ConfigMap", config.Name, config.Optional, itemKeys(config.Items)...)
				}
			}
		}
		if claim := volume.PersistentVolumeClaim; claim != nil {
			used["PersistentVolumeClaim "+claim.ClaimName] = true
			if !slices.ContainsFunc(c.Claims, func(made corev1.PersistentVolumeClaim) bool { return made.Name == claim.ClaimName }) {
				c.found(w, "needs the volume %s, which nobody makes", claim.ClaimName)
			}
		}
	}
	for _, container := range containers(w.Pod) {
		for _, mount := range container.VolumeMounts {
			if !names[mount.Name] {
				c.found(w, "gives %s the volume %s, which it does not have", container.Name, mount.Name)
			}
		}
	}
}

// unused looks for what nobody reads.
func (c *checker) unused(used map[string]bool) {
	look := func(kind, name string) {
		if !used[kind+" "+name] {
			c.found(thing(kind+" "+name), "is read by nobody")
		}
	}
	for _, config := range c.ConfigMaps {
		look("ConfigMap", config.Name)
	}
	for _, secret := range c.Secrets {
		look("Secret", secret.Name)
	}
	for _, external := range c.ExternalSecrets {
		look("Secret", external.Spec.Target.Name)
		if !slices.ContainsFunc(c.SecretStores, func(store SecretStore) bool { return store.Name == external.Spec.SecretStoreRef.Name }) {
			c.found(thing("ExternalSecret "+external.Name), "comes from %q, which is no store", external.Spec.SecretStoreRef.Name)
		}
	}
	for _, claim := range c.Claims {
		look("PersistentVolumeClaim", claim.Name)
	}
}

// selectors looks whether all that is found by labels is there.
func (c *checker) selectors() {
	workloads := c.Workloads()
	look := func(where fmt.Stringer, selector *metav1.LabelSelector) {
		if selector == nil || len(selector.MatchLabels)+len(selector.MatchExpressions) == 0 {
			return // all
		}
		if !slices.ContainsFunc(workloads, func(w Workload) bool { return selects(selector, w.Labels) }) {
			c.found(where, "looks for %s, which is nothing", metav1.FormatLabelSelector(selector))
		}
		for _, expression := range selector.MatchExpressions {
			for _, value := range expression.Values {
				if !slices.ContainsFunc(workloads, func(w Workload) bool { return w.Labels[expression.Key] == value }) {
					c.found(where, "looks for %s, which is nothing", value)
				}
			}
		}
	}
	for _, service := range c.Services {
		look(thing("Service "+service.Name), &metav1.LabelSelector{MatchLabels: service.Spec.Selector})
	}
	for _, budget := range c.Budgets {
		look(thing("PodDisruptionBudget "+budget.Name), budget.Spec.Selector)
	}
	for _, policy := range c.Policies {
		where := thing("NetworkPolicy " + policy.Name)
		look(where, &policy.Spec.PodSelector)
		for _, peer := range peers(policy) {
			if peer.NamespaceSelector == nil {
				look(where, peer.PodSelector)
			}
		}
	}
}

func peers(policy networkingv1.NetworkPolicy) []networkingv1.NetworkPolicyPeer {
	var all []networkingv1.NetworkPolicyPeer
	for _, rule := range policy.Spec.Ingress {
		all = append(all, rule.From...)
	}
	for _, rule := range policy.Spec.Egress {
		all = append(all, rule.To...)
	}
	return all
}

// ports looks whether Services lead to ports that there are, and whatever leads to Services to those.
func (c *checker) ports() {
	for _, service := range c.Services {
		for _, w := range c.Workloads() {
			if !selects(&metav1.LabelSelector{MatchLabels: service.Spec.Selector}, w.Labels) {
				continue
			}
			for _, port := range service.Spec.Ports {
				if !slices.ContainsFunc(w.Pod.Containers, func(container corev1.Container) bool { return listens(container, port.TargetPort.String()) }) {
					c.found(thing("Service "+service.Name), "leads to port %s of %s, on which it does not listen", port.TargetPort.String(), w.Name)
				}
			}
		}
	}
	for _, set := range c.StatefulSets {
		headless := slices.ContainsFunc(c.Services, func(service corev1.Service) bool {
			return service.Name == set.Spec.ServiceName && service.Spec.ClusterIP == corev1.ClusterIPNone
		})
		if !headless {
			c.found(thing("StatefulSet "+set.Name), "has no Service that names its pods")
		}
	}
	for _, ingress := range c.Ingresses {
		for _, rule := range ingress.Spec.Rules {
			for _, path := range rule.HTTP.Paths {
				to := path.Backend.Service
				leads := slices.ContainsFunc(c.Services, func(service corev1.Service) bool {
					return service.Name == to.Name && slices.ContainsFunc(service.Spec.Ports, func(port corev1.ServicePort) bool {
						return port.Name == to.Port.Name || port.Port == to.Port.Number
					})
				})
				if !leads {
					c.found(thing("Ingress "+ingress.Name), "leads to %s, which is no Service with that port", to.Name)
				}
			}
		}
	}
}

// scalers looks at what is scaled, and that nobody else says how many there are.
func (c *checker) scalers() {
	for _, scaler := range c.Autoscalers {
		where := thing("HorizontalPodAutoscaler " + scaler.Name)
		target := scaler.Spec.ScaleTargetRef
		found := false
		for _, d := range c.Deployments {
			if d.Name != target.Name || target.Kind != "Deployment" {
				continue
			}
			found = true
			if d.Spec.Replicas != nil {
				c.found(where, "scales %s, which says itself how many there are", d.Name)
			}
			partitions, err := strconv.Atoi(c.Config(product)["KAFKA_PARTITIONS"])
			if err != nil {
				c.found(where, "scales, and nobody says how many partitions there are")
			}
			if numbers := strings.Contains(c.Environment(d.Spec.Template.Spec.Containers[0])["ROLES"], "sequencer"); numbers && int(scaler.Spec.MaxReplicas) > partitions {
				c.found(where, "makes up to %d of %s, and there are %d partitions", scaler.Spec.MaxReplicas, d.Name, partitions)
			}
		}
		if !found {
			c.found(where, "scales %s %s, which is not there", target.Kind, target.Name)
		}
	}
}

// secrets looks for what only pods may know where everybody can read it: in ConfigMaps, and in what a pod is written down as.
func (c *checker) secrets() {
	const long = 16 // what is shorter is no secret
	var known []string
	for _, secret := range c.Secrets {
		for _, value := range secret.Data {
			for part := range strings.FieldsFuncSeq(string(value), func(r rune) bool { return strings.ContainsRune(":/@?&=", r) }) {
				if len(part) >= long && !slices.Contains(known, part) && !strings.Contains(part, "exporter") {
					known = append(known, part)
				}
			}
		}
	}
	open := func(where fmt.Stringer, key, value string) {
		if value != "" && regexp.MustCompile(`PASS|SECRET|TOKEN|PRIVATE|^DATABASE_URL$|^REDIS_URL$`).MatchString(key) {
			c.found(where, "has %s, for everybody to read", key)
		}
		if slices.ContainsFunc(known, func(secret string) bool { return strings.Contains(value, secret) }) {
			c.found(where, "has a secret in %s, for everybody to read", key)
		}
	}
	for _, config := range c.ConfigMaps {
		for _, key := range slices.Sorted(maps.Keys(config.Data)) {
			open(thing("ConfigMap "+baseName(config.Name)), key, config.Data[key])
		}
	}
	for _, w := range c.Workloads() {
		for _, container := range containers(w.Pod) {
			for _, variable := range container.Env {
				open(w, variable.Name, variable.Value)
			}
			for _, arg := range append(slices.Clone(container.Args), container.Command...) {
				open(w, "a command", arg)
			}
		}
	}
}
