package k8stest

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// Composed is a service of compose.yaml as Kompose has converted it.
type Composed struct {
	Name      string
	Container corev1.Container
	Volumes   []corev1.Volume
	// Published are the ports by which it is reached from outside, with those that they lead to.
	Published []corev1.ServicePort
}

// Place is where a service of compose.yaml is in Kubernetes: a container of a workload.
type Place struct{ Workload, Container string }

// Difference is one between compose.yaml and Kubernetes that there is for a reason. What is a word and a name: `env KAFKA_HEAP_OPTS`,
// `volume /host`, `port 8001:80`, `image`, or `service` for all of it. A Service of `*` is each that differs so.
type Difference struct{ Service, What, Why string }

// ReadComposed reads a folder that Kompose has written.
func ReadComposed(dir string) ([]Composed, error) {
	services := map[string]*Composed{}
	service := func(name string) *Composed {
		if services[name] == nil {
			services[name] = &Composed{Name: name}
		}
		return services[name]
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("look for what Kompose has written: %w", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file) //nolint:gosec // of a folder that the test names
		if err != nil {
			return nil, fmt.Errorf("read what Kompose has written: %w", err)
		}
		var kind metav1.TypeMeta
		if err := yaml.Unmarshal(text, &kind); err != nil {
			return nil, fmt.Errorf("read %s: %w", filepath.Base(file), err)
		}
		switch kind.Kind {
		case "Deployment":
			var d appsv1.Deployment
			err = yaml.Unmarshal(text, &d)
			service(d.Name).pod(d.Spec.Template.Spec)
		case "Pod":
			var p corev1.Pod
			err = yaml.Unmarshal(text, &p)
			service(p.Name).pod(p.Spec)
		case "Service":
			var s corev1.Service
			err = yaml.Unmarshal(text, &s)
			service(s.Name).Published = s.Spec.Ports
		default:
			return nil, fmt.Errorf("a %s is compared with nothing, and Kompose has made one: %s", kind.Kind, filepath.Base(file))
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", filepath.Base(file), err)
		}
	}
	var all []Composed
	for _, name := range slices.Sorted(maps.Keys(services)) {
		all = append(all, *services[name])
	}
	return all, nil
}

func (c *Composed) pod(spec corev1.PodSpec) {
	if len(spec.Containers) > 0 {
		c.Container = spec.Containers[0]
	}
	c.Volumes = spec.Volumes
}

// comparison goes through the services of compose.yaml.
type comparison struct {
	m        *Manifests
	allowed  []Difference
	used     map[Difference]bool
	problems []string
}

// CompareWithCompose answers with a sentence for each service, image, port, volume and variable of compose.yaml that has no place in an
// overlay and is not among the differences; and for each difference that is none any more.
func CompareWithCompose(m *Manifests, services []Composed, places map[string][]Place, differences []Difference) []string {
	c := &comparison{m: m, allowed: differences, used: map[Difference]bool{}}
	for _, service := range services {
		c.service(service, places[service.Name])
	}
	for _, difference := range differences {
		if !c.used[difference] {
			c.problems = append(c.problems, fmt.Sprintf("%s: %s is no difference any more: %s", difference.Service, difference.What, difference.Why))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(places)) {
		if !slices.ContainsFunc(services, func(service Composed) bool { return service.Name == name }) {
			c.problems = append(c.problems, name+" has a place, and compose.yaml does not have it")
		}
	}
	return c.problems
}

// differs notes a difference, unless there is a reason for it.
func (c *comparison) differs(service, what, format string, args ...any) {
	for _, difference := range c.allowed {
		if difference.What == what && (difference.Service == service || difference.Service == "*") {
			c.used[difference] = true
			return
		}
	}
	c.problems = append(c.problems, fmt.Sprintf("%s: %s %s", service, what, fmt.Sprintf(format, args...)))
}

func (c *comparison) service(service Composed, places []Place) {
	if len(places) == 0 {
		c.differs(service.Name, "service", "has no place")
		return
	}
	for _, place := range places {
		workload, container, found := c.find(place)
		if !found {
			c.problems = append(c.problems, fmt.Sprintf("%s: has its place at %s of %s, which is not there", service.Name, place.Container, place.Workload))
			continue
		}
		if container.Image != service.Container.Image {
			c.differs(service.Name, "image", "is %s, and %s runs %s", service.Container.Image, place.Workload, container.Image)
		}
		c.variables(service, place, container)
		for _, mount := range service.Container.VolumeMounts {
			c.volume(service, place, workload, container, mount)
		}
		for _, port := range service.Published {
			c.port(service, place, container, port)
		}
	}
}

func (c *comparison) find(place Place) (Workload, corev1.Container, bool) {
	for _, w := range c.m.Workloads() {
		if w.Name != place.Workload {
			continue
		}
		for _, container := range w.Pod.Containers {
			if container.Name == place.Container {
				return w, container, true
			}
		}
	}
	return Workload{}, corev1.Container{}, false
}

func (c *comparison) variables(service Composed, place Place, container corev1.Container) {
	values := c.m.Environment(container)
	for _, variable := range service.Container.Env {
		value, set := values[variable.Name]
		switch {
		case !set && variable.Value == "":
		case !set:
			c.differs(service.Name, "env "+variable.Name, "is %q, and %s does not have it", variable.Value, place.Workload)
		case value != variable.Value:
			c.differs(service.Name, "env "+variable.Name, "is %q, and in %s it is %q", variable.Value, place.Workload, value)
		}
	}
}

// volume looks for what is at a path: a volume that keeps, a file or folder of ours, or a place to write to.
func (c *comparison) volume(service Composed, place Place, w Workload, container corev1.Container, mount corev1.VolumeMount) {
	what := "volume " + mount.MountPath
	at, under, found := mounted(container, mount.MountPath)
	if !found {
		c.differs(service.Name, what, "is not in %s", place.Workload)
		return
	}
	kept := slices.ContainsFunc(w.Claims, func(claim corev1.PersistentVolumeClaim) bool { return claim.Name == at.Name })
	volume := corev1.Volume{}
	for _, candidate := range w.Pod.Volumes {
		if candidate.Name == at.Name {
			volume = candidate
			kept = kept || candidate.PersistentVolumeClaim != nil
		}
	}
	// Kompose calls what is in memory and what are files of ours after the service; a volume has the name that compose gives it.
	switch named := !strings.HasPrefix(mount.Name, service.Name+"-tmpfs") && !strings.HasPrefix(mount.Name, service.Name+"-hostpath"); {
	case named && (!kept || at.Name != mount.Name):
		c.differs(service.Name, what, "is the volume %s, and in %s it is %s", mount.Name, place.Workload, at.Name)
	case strings.HasPrefix(mount.Name, service.Name+"-tmpfs") && volume.EmptyDir == nil:
		c.differs(service.Name, what, "can be written to, and in %s it keeps what is written", place.Workload)
	case strings.HasPrefix(mount.Name, service.Name+"-hostpath"):
		files := c.m.Files(w, at.Name)
		if _, found := files[under]; !found && (under != "" || len(files) == 0) {
			c.differs(service.Name, what, "is of ours, and %s has no such file", place.Workload)
		}
	}
}

// mounted is what is mounted at a path or above it, and the rest of the path. /var/run is /run everywhere.
func mounted(container corev1.Container, file string) (mount corev1.VolumeMount, under string, found bool) {
	clean := func(name string) string { return strings.TrimPrefix(path.Clean(name), "/var/run") }
	for _, candidate := range container.VolumeMounts {
		at, wanted := candidate.MountPath, file
		if strings.HasPrefix(at, "/var/run/") || strings.HasPrefix(wanted, "/var/run/") {
			at, wanted = "/run"+strings.TrimPrefix(clean(at), "/run"), "/run"+strings.TrimPrefix(clean(wanted), "/run")
		}
		if rest, below := strings.CutPrefix(wanted, at); below && (rest == "" || rest[0] == '/') && len(candidate.MountPath) > len(mount.MountPath) {
			mount, under, found = candidate, strings.TrimPrefix(rest, "/"), true
		}
	}
	return mount, under, found
}

// port looks whether a Service of the same name leads to the same port.
func (c *comparison) port(service Composed, place Place, container corev1.Container, published corev1.ServicePort) {
	target := published.TargetPort.String()
	what := "port " + strconv.Itoa(int(published.Port)) + ":" + target
	for _, candidate := range c.m.Services {
		if candidate.Name != service.Name {
			continue
		}
		for _, port := range candidate.Spec.Ports {
			leads := slices.ContainsFunc(container.Ports, func(p corev1.ContainerPort) bool {
				return (port.TargetPort.String() == p.Name || port.TargetPort.IntVal == p.ContainerPort) && strconv.Itoa(int(p.ContainerPort)) == target
			})
			if port.Port == published.Port && leads {
				return
			}
		}
	}
	c.differs(service.Name, what, "leads to %s by no Service of that name", place.Workload)
}
