package k8s_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// machine is a folder of programs that stand for Docker and kind: they write down what they are asked, and kind's cluster is
// the one of this test.
func (c *cluster) machine() (folder string) {
	c.t.Helper()
	folder = c.t.TempDir()
	for name, text := range map[string]string{
		"docker": `[[ $* != "image inspect"* ]] || echo "sha256:$(cat "$HERE/built")$(sha256sum <<<"${*: -1}")"`,
		"kind":   `[[ $1 != create ]] || cp "$HERE/new" "$KUBECONFIG"`,
		"curl":   `exit 7`,
	} {
		text = "#!/usr/bin/env bash\nHERE=" + folder + "\necho \"" + name + " $*\" >>\"$HERE/asked\"\n" + text + "\n"
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o700); err != nil {
			c.t.Fatal(err)
		}
	}
	admin, err := os.ReadFile(c.Kubeconfig)
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(filepath.Join(folder, "new"), strings.ReplaceAll(string(admin), ": test", ": kind-blabber-hive"))
	c.write(filepath.Join(folder, "kubeconfig"), "")
	c.write(filepath.Join(folder, "built"), "1")
	c.env = append(c.env, "KUBECONFIG="+filepath.Join(folder, "kubeconfig"), "PATH="+folder+":"+tools(c.t)+":"+os.Getenv("PATH"))
	return folder
}

func (c *cluster) write(path, text string) {
	c.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// images are those that the gateways and the model server run.
func (c *cluster) images() string {
	c.t.Helper()
	return c.do("get", "deployments", "gateway", "fastapi", "--namespace", namespace, "--output=jsonpath={.items[*].spec.template.spec.containers[0].image}")
}

// Promise: up-local.sh makes a cluster where there is none, hands it what was built, and ends with what to open; again it
// replaces just what was built anew; it keeps away from clusters that it does not know; and --down takes all of it away.
func TestUpLocal(t *testing.T) {
	t.Parallel()
	c := start(t)
	folder := c.machine()
	said := c.script("up-local.sh")
	for _, want := range []string{"open http://localhost:8001", "port-forward service/nginx 8001:80", "user create NAME"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	asked, err := os.ReadFile(filepath.Join(folder, "asked"))
	if err != nil {
		t.Fatal(err)
	}
	first := c.images()
	for image := range strings.FieldsSeq(first) {
		if want := "kind load docker-image --name blabber-hive " + image + "\n"; !strings.Contains(string(asked), want) {
			t.Errorf("%q was not asked for, but:\n%s", want, asked)
		}
	}
	if !strings.HasPrefix(string(asked), "kind create cluster --name blabber-hive --config deploy/k8s/overlays/local/kind.yaml\n") {
		t.Errorf("no cluster was made, but:\n%s", asked)
	}

	if names := c.changed(func() { c.script("up-local.sh") }); len(names) > 0 {
		t.Errorf("nothing has changed, and %v were", names)
	}
	c.write(filepath.Join(folder, "built"), "2")
	c.script("up-local.sh")
	if second := c.images(); second == first {
		t.Errorf("other images were built, and %s run", second)
	}

	far := strings.ReplaceAll(c.read(filepath.Join(folder, "new")), "kind-blabber-hive", "production")
	near := c.read(filepath.Join(folder, "kubeconfig"))
	c.write(filepath.Join(folder, "kubeconfig"), far)
	if said, err := c.run("up-local.sh"); err == nil || !strings.Contains(said, "production is no cluster of this machine") {
		t.Errorf("with a cluster that it does not know: %v\n%s", err, said)
	}
	c.write(filepath.Join(folder, "kubeconfig"), near)
	c.script("up-local.sh", "--down")
	if left := c.do("get", "namespaces,persistentvolumes,priorityclasses", "--selector", ours, "--output=name"); left != "" {
		t.Errorf("left: %s", left)
	}
}

func (c *cluster) read(path string) string {
	c.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}
