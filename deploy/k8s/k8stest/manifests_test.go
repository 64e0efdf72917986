package k8stest_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/blabber-hive/blabber-hive/deploy/k8s/k8stest"
)

const root = "../../.."

// overlays are all places that the manifests are for.
func overlays() map[string]string {
	return map[string]string{"local": "deploy/k8s/overlays/local", "eks": "deploy/k8s/overlays/eks"}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// files are what overlays are rendered from, with passwords made for this test.
func files(t *testing.T) k8stest.Files {
	t.Helper()
	secrets := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), filepath.Join(root, "scripts", "secrets.sh"), secrets).CombinedOutput(); err != nil {
		t.Fatalf("secrets.sh: %v\n%s", err, out)
	}
	files, err := k8stest.ReadFiles(root, secrets)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func render(t *testing.T, files k8stest.Files, overlay string) *k8stest.Manifests {
	t.Helper()
	m, err := k8stest.Render(files, overlays()[overlay])
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// versions are the images of compose.yaml by name.
func versions(t *testing.T) map[string]string {
	t.Helper()
	images := map[string]string{}
	for _, match := range regexp.MustCompile(`(?m)^    image: (\S+):(\S+)$`).FindAllStringSubmatch(read(t, "compose.yaml"), -1) {
		images[match[1]] = match[2]
	}
	if len(images) < 10 {
		t.Fatalf("compose.yaml runs only %v", images)
	}
	return images
}

// problems are all that is wrong with an overlay.
func problems(t *testing.T, m *k8stest.Manifests, overlay string) []string {
	t.Helper()
	all := append(k8stest.CheckPods(m, versions(t)), k8stest.CheckReferences(m)...)
	all = append(all, k8stest.CheckScaling(m, read(t, "deploy/k8s/autoscaling/adapter-values.yaml"), read(t, "deploy/compose/prometheus/rules/recorded.yml"))...)
	arrows, wrong := k8stest.Arrows(m)
	all = append(all, wrong...)
	all = append(all, k8stest.Unreached(m, arrows)...)
	expected, err := k8stest.Expected(read(t, "docs/architecture.md"), overlay)
	if err != nil {
		t.Fatal(err)
	}
	if len(expected) < 20 {
		t.Fatalf("docs/architecture.md has only the arrows %v", expected)
	}
	all = append(all, k8stest.Differences(arrows, expected, names(overlay))...)
	if memory := m.Memory(); overlay == "local" && memory.Cmp(resource.MustParse("4Gi")) > 0 {
		all = append(all, "all pods of a small machine may use "+memory.String())
	}
	return all
}

// names are what the table of arrows calls those who are no workloads.
func names(overlay string) map[string]string {
	const network, private = "10.0.0.0/16", "10.0.0.0/8, 100.64.0.0/10, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16"
	names := map[string]string{"kubernetes.io/metadata.name=kube-system k8s-app=kube-dns": "names"}
	if overlay == "eks" {
		maps.Copy(names, map[string]string{
			network + ":5432": "postgres", network + ":9096": "broker", network + ":6379": "redis", network + ":443": "buckets",
			"0.0.0.0/0 without " + private: "buckets", "169.254.170.23/32": "identity",
			"kubernetes.io/metadata.name=monitoring app.kubernetes.io/name=prometheus-adapter": "prometheus-adapter",
			network: "load balancers",
		})
	}
	return names
}

// Promise: pods keep the rules of the house, what one object says of another is so, and pods talk along the arrows of the design and
// no others.
func TestManifests(t *testing.T) {
	t.Parallel()
	files := files(t)
	for overlay := range overlays() {
		t.Run(overlay, func(t *testing.T) {
			t.Parallel()
			m := render(t, files, overlay)
			for _, problem := range problems(t, m, overlay) {
				t.Error(problem)
			}
			memory := m.Memory()
			t.Logf("all pods together may use %s", memory.String())
		})
	}
}

// Promise: with the component for a sign-in service outside, servers have a way out to it and to a collector of traces, and nobody
// has another one.
func TestWayOut(t *testing.T) {
	t.Parallel()
	files := files(t)
	files["deploy/k8s/overlays/outside/kustomization.yaml"] = "resources: [../eks]\ncomponents: [../../network/outside]\nnamespace: blabber-hive\n"
	m, err := k8stest.Render(files, "deploy/k8s/overlays/outside")
	if err != nil {
		t.Fatal(err)
	}
	before, _ := k8stest.Arrows(render(t, files, "eks"))
	after, problems := k8stest.Arrows(m)
	added := slices.DeleteFunc(after, func(arrow k8stest.Arrow) bool { return slices.Contains(before, arrow) })
	world := "0.0.0.0/0 without 10.0.0.0/8, 100.64.0.0/10, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16"
	want := []k8stest.Arrow{{From: "gateway", To: world, Port: 443}, {From: "gateway", To: world, Port: 4318}, {From: "sequencer", To: world, Port: 443}, {From: "sequencer", To: world, Port: 4318}}
	if !slices.Equal(added, want) || len(problems) > 0 {
		t.Errorf("added are the arrows %v (%v), want %v", added, problems, want)
	}
}

// workload is one of an overlay.
func workload(t *testing.T, m *k8stest.Manifests, name string) k8stest.Workload {
	t.Helper()
	for _, w := range m.Workloads() {
		if w.Name == name {
			return w
		}
	}
	t.Fatalf("there is no %s", name)
	return k8stest.Workload{}
}

// Promise: what Prometheus, Grafana and nginx find in their folders is what they find there in compose, to the byte, and all of it.
func TestOneSource(t *testing.T) {
	t.Parallel()
	files := files(t)
	for _, row := range []struct{ workload, volume, folder, only string }{
		{"prometheus", "settings", "deploy/compose/prometheus", `^(prometheus\.yml|rules/.*)$`},
		{"grafana", "dashboards", "deploy/compose/grafana/dashboards", ``},
		{"grafana", "provisioning", "deploy/compose/grafana/provisioning", ``},
		{"nginx", "settings", "deploy/compose/nginx", `^nginx\.conf$`},
	} {
		only := regexp.MustCompile(row.only)
		want := map[string]string{}
		for name, text := range files {
			if below, is := strings.CutPrefix(name, row.folder+"/"); is && only.MatchString(below) {
				want[below] = text
			}
		}
		if len(want) == 0 {
			t.Errorf("%s has nothing of %s", row.folder, row.only)
		}
		for overlay := range overlays() {
			m := render(t, files, overlay)
			got := m.Files(workload(t, m, row.workload), row.volume)
			maps.DeleteFunc(got, func(name, _ string) bool { return !only.MatchString(name) })
			if !maps.Equal(got, want) {
				t.Errorf("%s: %s finds %v, in compose it finds %v, or they differ", overlay, row.workload, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
			}
		}
	}
}

// Promise: what differs between the two place.conf is how people have reached us, and nothing else.
func TestPlaces(t *testing.T) {
	t.Parallel()
	strip := func(name string) string {
		text := regexp.MustCompile(`(?m)^ *#.*\n`).ReplaceAllString(read(t, name), "")
		text = regexp.MustCompile(`(?m)^(set_real_ip_from|real_ip_header) .*\n`).ReplaceAllString(text, "")
		return regexp.MustCompile(`(map "" \$outer_scheme \{\n  default )[^;]*;`).ReplaceAllString(text, "$1;")
	}
	base, eks := strip("deploy/k8s/configmaps/nginx/place.conf"), strip("deploy/k8s/overlays/eks/nginx/place.conf")
	if base != eks {
		t.Errorf("deploy/k8s/configmaps/nginx/place.conf:\n%s\ndeploy/k8s/overlays/eks/nginx/place.conf:\n%s", base, eks)
	}
}

// Promise: servers are told nothing that they do not read.
func TestVariables(t *testing.T) {
	t.Parallel()
	known := regexp.MustCompile(`\b[A-Z][A-Z_]+\b`).FindAllString(read(t, "docs/operations.md"), -1)
	files := files(t)
	for overlay := range overlays() {
		m := render(t, files, overlay)
		for _, w := range m.Workloads() {
			for _, container := range w.Pod.Containers {
				if !strings.Contains(container.Image, "blabber-hive:") {
					continue
				}
				for name := range m.Environment(container) {
					if !slices.Contains(known, name) && !slices.Contains([]string{"TZ", "ROLES"}, name) && w.Labels["app.kubernetes.io/component"] != "backup" {
						t.Errorf("%s: %s is given the variable %s, which docs/operations.md does not have", overlay, w, name)
					}
				}
			}
		}
	}
}

// Promise: secrets.sh makes what is missing, to fit, and leaves what is there.
func TestSecrets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := func() map[string]string {
		if out, err := exec.CommandContext(t.Context(), filepath.Join(root, "scripts", "secrets.sh"), dir).CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("secrets.sh: %v, saying %q", err, out)
		}
		made := map[string]string{}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if info, err := entry.Info(); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s can be read by others: %v, %v", entry.Name(), info.Mode(), err)
			}
			made[entry.Name()] = string(text)
		}
		return made
	}
	first := run()
	if again := run(); !maps.Equal(first, again) {
		t.Error("what was there is another")
	}
	if err := os.Remove(filepath.Join(dir, "exporters.env")); err != nil {
		t.Fatal(err)
	}
	if again := run(); !maps.Equal(first, again) {
		t.Error("what was made again does not fit what was there")
	}
	password := strings.TrimSpace(strings.TrimPrefix(first["postgres.env"], "POSTGRES_PASSWORD="))
	if len(password) != 64 || !strings.Contains(first["blabber-hive.env"], ":"+password+"@") || !strings.Contains(first["exporters.env"], "="+password+"\n") {
		t.Errorf("the password of the database is not the same everywhere: %q", first)
	}
}
