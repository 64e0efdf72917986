package k8s_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// definitions is what the API server says of its objects (OpenAPI 2).
type definitions map[string]map[string]any

// schemas writes a JSON schema for each kind that the API server knows into a folder, as kubeconform looks for them, with
// unknown fields refused.
func (c *cluster) schemas(folder string) (kinds int) {
	c.t.Helper()
	var document struct {
		Definitions definitions `json:"definitions"`
	}
	var text string
	c.eventually("the kinds of External Secrets are described", func() error {
		if text = c.do("get", "--raw", "/openapi/v2"); !strings.Contains(text, `"kind":"SecretStore"`) || !strings.Contains(text, `"kind":"ExternalSecret"`) {
			return errors.New("they are not yet")
		}
		return nil
	})
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		c.t.Fatal(err)
	}
	for _, definition := range document.Definitions {
		strict(definition)
	}
	for name, definition := range document.Definitions {
		for _, kind := range kindsOf(definition) {
			used := definitions{}
			used.take(document.Definitions, name)
			schema, err := json.Marshal(map[string]any{"$ref": "#/definitions/" + name, "definitions": used})
			if err != nil {
				c.t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, kind+".json"), schema, 0o600); err != nil {
				c.t.Fatal(err)
			}
			kinds++
		}
	}
	return kinds
}

// kindsOf tells which kinds a definition is of, as kubeconform's file names have it: kind-group-version.
func kindsOf(definition map[string]any) (names []string) {
	kinds, _ := definition["x-kubernetes-group-version-kind"].([]any)
	for _, kind := range kinds {
		word := func(key string) string { return kind.(map[string]any)[key].(string) }
		group, _, _ := strings.Cut(word("group"), ".")
		names = append(names, strings.ToLower(strings.Join(slices.DeleteFunc([]string{word("kind"), group, word("version")}, func(part string) bool { return part == "" }), "-")))
	}
	return names
}

// strict refuses fields that a schema does not name, and lets what is either a number or a text be both.
func strict(schema map[string]any) {
	if schema["format"] == "int-or-string" || schema["x-kubernetes-int-or-string"] == true {
		delete(schema, "type")
		delete(schema, "format")
		schema["oneOf"] = []any{map[string]any{"type": "string"}, map[string]any{"type": "integer"}}
	}
	properties, _ := schema["properties"].(map[string]any)
	if _, open := schema["additionalProperties"]; properties != nil && !open && schema["x-kubernetes-preserve-unknown-fields"] != true {
		schema["additionalProperties"] = false
	}
	for _, property := range properties {
		strict(property.(map[string]any))
	}
	for _, key := range []string{"items", "additionalProperties"} {
		if inner, ok := schema[key].(map[string]any); ok {
			strict(inner)
		}
	}
}

// take copies a definition and all that it refers to.
func (d definitions) take(all definitions, name string) {
	if d[name] != nil {
		return
	}
	d[name] = all[name]
	d.follow(all, all[name])
}

func (d definitions) follow(all definitions, value any) {
	switch value := value.(type) {
	case map[string]any:
		if reference, ok := value["$ref"].(string); ok {
			d.take(all, strings.TrimPrefix(reference, "#/definitions/"))
		}
		for inner := range maps.Values(value) {
			d.follow(all, inner)
		}
	case []any:
		for _, inner := range value {
			d.follow(all, inner)
		}
	}
}

// conforms asks kubeconform what it thinks of manifests.
func conforms(t *testing.T, programs, schemas, manifests string) error {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(programs, "kubeconform"), "-strict", "-summary",
		"-schema-location", filepath.Join(schemas, "{{ .ResourceKind }}{{ .KindSuffix }}.json"))
	cmd.Stdin = strings.NewReader(manifests)
	output, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("kubeconform: %w\n%s", err, output)
	}
	t.Logf("%s", output)
	return nil
}

// Promise: both overlays, the restore and nothing else that kustomize renders have a field that the API server does not
// know, or a value of another type.
func TestSchemas(t *testing.T) {
	t.Parallel()
	c := start(t)
	folder := t.TempDir()
	t.Logf("%d kinds", c.schemas(folder))
	for _, name := range []string{"overlays/local", "overlays/eks"} {
		manifests := c.do("kustomize", filepath.Join(c.root, "deploy/k8s", name))
		if err := conforms(t, tools(t), folder, manifests); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for what, planted := range map[string]string{
			"an unknown field":              strings.Replace(manifests, "terminationGracePeriodSeconds:", "terminationGraceSeconds:", 1),
			"a text where a number belongs": strings.Replace(manifests, "terminationGracePeriodSeconds: ", "terminationGracePeriodSeconds: about ", 1),
			"a kind of nowhere":             strings.Replace(manifests, "kind: Deployment", "kind: Deploymint", 1),
		} {
			if planted == manifests {
				t.Fatalf("%s: there is no place for %s", name, what)
			}
			if err := conforms(t, tools(t), folder, planted); err == nil {
				t.Errorf("%s: %s is not found", name, what)
			}
		}
	}
}
