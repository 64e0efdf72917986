package obs_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/obs"
)

const hidden = "hunter2"

// Promise: whatever prints, encodes or logs a secret, or something that holds it, does not show its value.
func TestSecretIsNeverShown(t *testing.T) {
	t.Parallel()

	secret := obs.NewSecret(hidden)
	config := struct {
		Public  obs.Secret
		private obs.Secret
	}{secret, secret}

	var shown strings.Builder

	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%t", "%T"} {
		fmt.Fprintf(&shown, verb+"\n", secret)
		fmt.Fprintf(&shown, verb+"\n", &secret)
		fmt.Fprintf(&shown, verb+"\n", config)
		fmt.Fprintf(&shown, verb+"\n", []obs.Secret{secret})
	}

	encoded, err := json.Marshal(map[string]any{"secret": secret, "config": config})
	if err != nil {
		t.Fatal(err)
	}

	shown.Write(encoded)

	for _, format := range []string{"text", "json"} {
		log, err := obs.NewLogger(&shown, format, "debug")
		if err != nil {
			t.Fatal(err)
		}

		log.Info("started", "key", secret, "config", config, "group", slog.GroupValue(slog.Any("key", secret)))
	}

	for _, encoding := range []string{hidden, fmt.Sprintf("%x", hidden), fmt.Sprintf("%X", hidden)} {
		if strings.Contains(shown.String(), encoding) {
			t.Errorf("the secret is shown as %q in:\n%s", encoding, shown.String())
		}
	}

	if got := secret.Reveal(); got != hidden {
		t.Errorf("Reveal() = %q, want %q", got, hidden)
	}
}

// Promise: a secret is read from text, and an empty one says so.
func TestSecretIsRead(t *testing.T) {
	t.Parallel()

	var config struct{ Key, Empty obs.Secret }
	if err := json.Unmarshal([]byte(`{"Key": "hunter2", "Empty": ""}`), &config); err != nil {
		t.Fatal(err)
	}

	if config.Key.Reveal() != hidden || config.Key.IsZero() || config.Key.String() != "[redacted]" {
		t.Errorf("read %q, which prints as %q", config.Key.Reveal(), config.Key)
	}

	if config.Empty.Reveal() != "" || !config.Empty.IsZero() || config.Empty.String() != "" {
		t.Errorf("the empty secret prints as %q", config.Empty)
	}
}
