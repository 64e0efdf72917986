package k8s_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// applied is deploy/terraform/tests/app: the module app with values of its own, on the overlay eks.
type applied struct {
	*cluster

	folder string
	env    []string
}

// applies makes a folder of the one program that stands for AWS: the cluster that it names is the one of this test.
func (c *cluster) applies() applied {
	c.t.Helper()
	programs := c.t.TempDir()
	aws := "#!/bin/sh\nfor file; do :; done\ncp '" + c.Kubeconfig + "' \"$file\"\n" // the last argument is where to write
	if err := os.WriteFile(filepath.Join(programs, "aws"), []byte(aws), 0o700); err != nil {
		c.t.Fatal(err)
	}
	c.write(filepath.Join(programs, "terraform.rc"), "")
	a := applied{cluster: c, folder: filepath.Join(c.root, "deploy/terraform/tests/app")}
	a.env = append(slices.Clone(c.env), "PATH="+programs+":"+tools(c.t)+":"+os.Getenv("PATH"), "KUBECONFIG=/nowhere",
		"TF_CLI_CONFIG_FILE="+filepath.Join(programs, "terraform.rc"), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
	a.terraform("init")
	return a
}

func (a applied) terraform(args ...string) string {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "terraform", args...)
	cmd.Dir, cmd.Env = a.folder, a.env
	output, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		a.t.Fatal("terraform is missing: see developer.hashicorp.com/terraform/install")
	}
	if err != nil {
		a.t.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return string(output)
}

// Promise: what Terraform adds to the overlay eks is admitted like the overlay itself, with a change just what it concerns is
// replaced, without one nothing is, and destroyed it leaves nothing behind.
func TestTerraform(t *testing.T) {
	t.Parallel()
	a := start(t).applies()
	if said := a.terraform("apply", "-auto-approve", "-no-color", "-var=overlay=eks"); strings.Contains(said, "Warning") {
		t.Errorf("it is applied with warnings:\n%s", said)
	}
	a.becomesAvailable()
	a.isScaled()
	a.backsUp() // whose pods have what the layer adds, too
	if images := a.images(); images != "registry.example.org/blabber-hive:v2 registry.example.org/sentiment-analysis:v2" {
		t.Errorf("%s run", images)
	}

	if names := a.changed(func() { a.terraform("apply", "-auto-approve", "-var=overlay=eks") }); len(names) > 0 {
		t.Errorf("nothing has changed, and %v were", names)
	}
	names := a.changed(func() {
		a.terraform("apply", "-auto-approve", "-var=overlay=eks", "-var=signup=closed")
		a.becomesAvailable()
	})
	if readers := []string{"gateway", "restore", "sequencer"}; !slices.Equal(names, readers) {
		t.Errorf("a variable of the servers has changed, and %v were, want %v", names, readers)
	}

	a.terraform("destroy", "-auto-approve", "-var=overlay=eks")
	a.isGone()
}
