package k8stest

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Workload is what makes pods: one view of Deployments, StatefulSets, Jobs and CronJobs.
type Workload struct {
	Kind, Name string
	// Labels are those of its pods, Selector finds them; Jobs have none that is written down.
	Labels   map[string]string
	Selector *metav1.LabelSelector
	// Replicas is how many pods there are, at least where an autoscaler says.
	Replicas int32
	Pod      corev1.PodSpec
	// Claims are the volumes that each of its pods gets.
	Claims []corev1.PersistentVolumeClaim
	// Ends says that its pods do their work and end, Suspended that it makes none by itself.
	Ends, Suspended bool
}

func (w Workload) String() string { return w.Kind + " " + w.Name }

// Workloads are all of an overlay.
func (m *Manifests) Workloads() []Workload {
	var workloads []Workload
	for _, d := range m.Deployments {
		workloads = append(workloads, Workload{
			Kind: "Deployment", Name: d.Name, Labels: d.Spec.Template.Labels, Selector: d.Spec.Selector,
			Replicas: m.replicas(d.Name, d.Spec.Replicas), Pod: d.Spec.Template.Spec,
		})
	}
	for _, s := range m.StatefulSets {
		workloads = append(workloads, Workload{
			Kind: "StatefulSet", Name: s.Name, Labels: s.Spec.Template.Labels, Selector: s.Spec.Selector,
			Replicas: m.replicas(s.Name, s.Spec.Replicas), Pod: s.Spec.Template.Spec, Claims: s.Spec.VolumeClaimTemplates,
		})
	}
	for _, j := range m.Jobs {
		workloads = append(workloads, Workload{
			Kind: "Job", Name: j.Name, Labels: j.Spec.Template.Labels, Replicas: 1, Pod: j.Spec.Template.Spec, Ends: true,
		})
	}
	for _, c := range m.CronJobs {
		template := c.Spec.JobTemplate.Spec.Template
		workloads = append(workloads, Workload{
			Kind: "CronJob", Name: c.Name, Labels: template.Labels, Replicas: 1, Pod: template.Spec, Ends: true,
			Suspended: c.Spec.Suspend != nil && *c.Spec.Suspend,
		})
	}
	return workloads
}

// replicas are as many as a workload says or, where it says nothing, the fewest that an autoscaler leaves it.
func (m *Manifests) replicas(name string, said *int32) int32 {
	if said != nil {
		return *said
	}
	for _, scaler := range m.Autoscalers {
		if scaler.Spec.ScaleTargetRef.Name == name && scaler.Spec.MinReplicas != nil {
			return *scaler.Spec.MinReplicas
		}
	}
	return 1
}

// selects reports whether a selector finds what has these labels.
func selects(selector *metav1.LabelSelector, of map[string]string) bool {
	compiled, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && compiled.Matches(labels.Set(of))
}

// containers are all of a pod, those first that prepare it.
func containers(pod corev1.PodSpec) []corev1.Container {
	return append(append([]corev1.Container{}, pod.InitContainers...), pod.Containers...)
}

// Files are what a pod finds in one of its volumes that is made of ConfigMaps, by path.
func (m *Manifests) Files(w Workload, volume string) map[string]string {
	files := map[string]string{}
	add := func(name string, items []corev1.KeyToPath) {
		data := m.Config(baseName(name))
		if len(items) == 0 {
			maps.Copy(files, data)
		}
		for _, item := range items {
			if text, found := data[item.Key]; found {
				files[item.Path] = text
			}
		}
	}
	for _, candidate := range w.Pod.Volumes {
		switch {
		case candidate.Name != volume:
		case candidate.ConfigMap != nil:
			add(candidate.ConfigMap.Name, candidate.ConfigMap.Items)
		case candidate.Projected != nil:
			for _, source := range candidate.Projected.Sources {
				if source.ConfigMap != nil {
					add(source.ConfigMap.Name, source.ConfigMap.Items)
				}
			}
		}
	}
	return files
}

// Environment is what a container's variables are, by name. What comes from a Secret that is made in the cluster alone is there as
// its name and key.
func (m *Manifests) Environment(c corev1.Container) map[string]string {
	values := map[string]string{}
	for _, from := range c.EnvFrom {
		if from.ConfigMapRef != nil {
			maps.Copy(values, m.Config(baseName(from.ConfigMapRef.Name)))
		}
		if from.SecretRef != nil {
			maps.Copy(values, m.secret(from.SecretRef.Name))
		}
	}
	for _, variable := range c.Env {
		values[variable.Name] = variable.Value
		if from := variable.ValueFrom; from != nil && from.SecretKeyRef != nil {
			values[variable.Name] = m.secret(from.SecretKeyRef.Name)[from.SecretKeyRef.Key]
		} else if from != nil && from.ConfigMapKeyRef != nil {
			values[variable.Name] = m.Config(baseName(from.ConfigMapKeyRef.Name))[from.ConfigMapKeyRef.Key]
		}
	}
	return values
}

// secret is what a Secret holds, whoever makes it.
func (m *Manifests) secret(name string) map[string]string {
	values := map[string]string{}
	for _, secret := range m.Secrets {
		if secret.Name == name {
			for key, value := range secret.Data {
				values[key] = string(value)
			}
		}
	}
	for _, external := range m.ExternalSecrets {
		if external.Spec.Target.Name == name {
			for _, data := range external.Spec.Data {
				values[data.SecretKey] = name + "/" + data.SecretKey
			}
		}
	}
	return values
}
