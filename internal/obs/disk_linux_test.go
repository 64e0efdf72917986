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

// Promise: the disk of the data folder is told, also before there is such a folder, and left out where nothing can be asked.
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

	if got, want := value(filepath.Join(dir, "none", "yet"), "blabber_disk_bytes"), value(dir, "blabber_disk_bytes"); got != want {
		t.Errorf("a folder that there is not yet is on a disk of %v bytes, want %v", got, want)
	}

	if got := value("/proc/self/comm/data", "blabber_disk_bytes"); got != -1 {
		t.Errorf("a folder in a file is on a disk of %v bytes", got)
	}
}
