package k8stest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// Files are what overlays are rendered from, by their path below the repository's root.
type Files map[string]string

// ReadFiles reads what overlays are made of, and the local overlay's secrets from a folder of their own.
func ReadFiles(root, secrets string) (Files, error) {
	files := Files{}
	read := func(from, to string) error {
		return filepath.WalkDir(from, func(file string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() {
				if entry.Name() == "k8stest" || entry.Name() == "secrets" && file != secrets {
					return fs.SkipDir
				}
				return nil
			}
			text, err := os.ReadFile(file) //nolint:gosec // of a folder that the test names
			if err != nil {
				return err
			}
			below, err := filepath.Rel(from, file)
			if err != nil {
				return err
			}
			files[path.Join(to, filepath.ToSlash(below))] = string(text)
			return nil
		})
	}
	var errs []error
	for _, folder := range []string{"deploy/k8s", "deploy/compose/nginx", "deploy/compose/prometheus", "deploy/compose/grafana"} {
		errs = append(errs, read(filepath.Join(root, filepath.FromSlash(folder)), folder))
	}
	errs = append(errs, read(secrets, "deploy/k8s/overlays/local/secrets"))
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("read what overlays are made of: %w", err)
	}
	return files, nil
}

// ExternalSecret is as much of External Secrets' kind as overlays use.
type ExternalSecret struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec struct {
		RefreshInterval string `json:"refreshInterval"`
		SecretStoreRef  struct {
			Kind string `json:"kind"`
			Name string `json:"name"`
		} `json:"secretStoreRef"`
		Target struct {
			Name           string `json:"name"`
			CreationPolicy string `json:"creationPolicy"`
		} `json:"target"`
		Data []struct {
			SecretKey string `json:"secretKey"`
			RemoteRef struct {
				Key      string `json:"key"`
				Property string `json:"property"`
			} `json:"remoteRef"`
		} `json:"data"`
	} `json:"spec"`
}

// SecretStore is as much of External Secrets' kind as overlays use.
type SecretStore struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec struct {
		Provider struct {
			AWS struct {
				Service string `json:"service"`
				Region  string `json:"region"`
			} `json:"aws"`
		} `json:"provider"`
	} `json:"spec"`
}

// Manifests are the objects of a rendered overlay.
type Manifests struct {
	Namespaces       []corev1.Namespace
	Accounts         []corev1.ServiceAccount
	ConfigMaps       []corev1.ConfigMap
	Secrets          []corev1.Secret
	Services         []corev1.Service
	Claims           []corev1.PersistentVolumeClaim
	Deployments      []appsv1.Deployment
	StatefulSets     []appsv1.StatefulSet
	Jobs             []batchv1.Job
	CronJobs         []batchv1.CronJob
	Policies         []networkingv1.NetworkPolicy
	Ingresses        []networkingv1.Ingress
	Budgets          []policyv1.PodDisruptionBudget
	Autoscalers      []autoscalingv2.HorizontalPodAutoscaler
	Priorities       []schedulingv1.PriorityClass
	StorageClasses   []storagev1.StorageClass
	ExternalSecrets  []ExternalSecret
	SecretStores     []SecretStore
	objects          []metav1.Object
	kindOf           map[metav1.Object]string
	configMapsByName map[string]corev1.ConfigMap
}

// Render renders an overlay, given by its folder below the repository's root.
func Render(files Files, overlay string) (*Manifests, error) {
	memory := filesys.MakeFsInMemory()
	for name, text := range files {
		if err := memory.WriteFile("/"+name, []byte(text)); err != nil {
			return nil, fmt.Errorf("lay out %s: %w", name, err)
		}
	}
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(memory, "/"+overlay)
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", overlay, err)
	}
	m := &Manifests{kindOf: map[metav1.Object]string{}, configMapsByName: map[string]corev1.ConfigMap{}}
	for _, resource := range resources.Resources() {
		text, err := resource.AsYAML()
		if err != nil {
			return nil, fmt.Errorf("render %s of %s: %w", resource.CurId(), overlay, err)
		}
		if err := m.add(resource.GetApiVersion()+" "+resource.GetKind(), text); err != nil {
			return nil, fmt.Errorf("read %s of %s: %w", resource.CurId(), overlay, err)
		}
	}
	m.index()
	return m, nil
}

func (m *Manifests) add(kind string, text []byte) error {
	switch kind {
	case "v1 Namespace":
		return decode(text, &m.Namespaces)
	case "v1 ServiceAccount":
		return decode(text, &m.Accounts)
	case "v1 ConfigMap":
		return decode(text, &m.ConfigMaps)
	case "v1 Secret":
		return decode(text, &m.Secrets)
	case "v1 Service":
		return decode(text, &m.Services)
	case "v1 PersistentVolumeClaim":
		return decode(text, &m.Claims)
	case "apps/v1 Deployment":
		return decode(text, &m.Deployments)
	case "apps/v1 StatefulSet":
		return decode(text, &m.StatefulSets)
	case "batch/v1 Job":
		return decode(text, &m.Jobs)
	case "batch/v1 CronJob":
		return decode(text, &m.CronJobs)
	case "networking.k8s.io/v1 NetworkPolicy":
		return decode(text, &m.Policies)
	case "networking.k8s.io/v1 Ingress":
		return decode(text, &m.Ingresses)
	case "policy/v1 PodDisruptionBudget":
		return decode(text, &m.Budgets)
	case "autoscaling/v2 HorizontalPodAutoscaler":
		return decode(text, &m.Autoscalers)
	case "scheduling.k8s.io/v1 PriorityClass":
		return decode(text, &m.Priorities)
	case "storage.k8s.io/v1 StorageClass":
		return decode(text, &m.StorageClasses)
	case "external-secrets.io/v1 ExternalSecret":
		return decode(text, &m.ExternalSecrets)
	case "external-secrets.io/v1 SecretStore":
		return decode(text, &m.SecretStores)
	}
	return fmt.Errorf("%s is a kind that nobody here knows", kind)
}

// decode reads one object, with nothing in it that its type does not have.
func decode[T any](text []byte, into *[]T) error {
	var object T
	if err := yaml.UnmarshalStrict(text, &object); err != nil {
		return err
	}
	*into = append(*into, object)
	return nil
}

func (m *Manifests) index() {
	list(m, "Namespace", m.Namespaces)
	list(m, "ServiceAccount", m.Accounts)
	list(m, "ConfigMap", m.ConfigMaps)
	list(m, "Secret", m.Secrets)
	list(m, "Service", m.Services)
	list(m, "PersistentVolumeClaim", m.Claims)
	list(m, "Deployment", m.Deployments)
	list(m, "StatefulSet", m.StatefulSets)
	list(m, "Job", m.Jobs)
	list(m, "CronJob", m.CronJobs)
	list(m, "NetworkPolicy", m.Policies)
	list(m, "Ingress", m.Ingresses)
	list(m, "PodDisruptionBudget", m.Budgets)
	list(m, "HorizontalPodAutoscaler", m.Autoscalers)
	list(m, "PriorityClass", m.Priorities)
	list(m, "StorageClass", m.StorageClasses)
	list(m, "ExternalSecret", m.ExternalSecrets)
	list(m, "SecretStore", m.SecretStores)
	for _, config := range m.ConfigMaps {
		m.configMapsByName[baseName(config.Name)] = config
	}
}

func list[T any, P interface {
	*T
	metav1.Object
}](m *Manifests, kind string, objects []T) {
	for i := range objects {
		object := metav1.Object(P(&objects[i]))
		m.objects = append(m.objects, object)
		m.kindOf[object] = kind
	}
}

// baseName is a name without the hash that kustomize ends it with.
func baseName(name string) string {
	if i := strings.LastIndexByte(name, '-'); i > 0 && len(name)-i == len("-765tb57hf8") {
		return name[:i]
	}
	return name
}

// Config is what a ConfigMap holds, by its name without a hash.
func (m *Manifests) Config(name string) map[string]string { return m.configMapsByName[name].Data }
