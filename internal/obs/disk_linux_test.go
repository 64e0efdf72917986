package obs_test

import (
	"log/slog"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/blabber-hive/blabber-hive/internal/obs"
)

// Promise: the disk of the data folder is told, and left out as long as there is no such folder.
func TestWatchDisk(t *testing.T) {
	t.Parallel()

	value := func(dir, name string) float64 {
		registry := obs.NewRegistry("1.2.3")
		obs.WatchDisk(registry, dir)

		code, body := get(t, obs.NewAdmin(obs.Admin{Metrics: registry, Log: slog.New(slog.DiscardHandler)}), "/metrics")
		if code != http.StatusOK {
			t.Fatalf("/metrics = %d %s", code, body)
		}

		match := regexp.MustCompile("(?m)^" + name + ` (\S+)$`).FindStringSubmatch(body)
		if match == nil {
			return -1
		}

		number, err := strconv.ParseFloat(match[1], 64)
		if err != nil {
			t.Fatal(err)
		}

		return number
	}

	dir := t.TempDir()
	if total, free := value(dir, "blabber_disk_bytes"), value(dir, "blabber_disk_free_bytes"); total <= 0 || free <= 0 || free > total {
		t.Errorf("%v bytes of %v are free", free, total)
	}

	if got := value(filepath.Join(dir, "none"), "blabber_disk_bytes"); got != -1 {
		t.Errorf("a folder that there is not is on a disk of %v bytes", got)
	}
}
