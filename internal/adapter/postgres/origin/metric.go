package origin

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/column"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// scrapePatience is how long who asks for metrics waits for the database. Others are away with it.
const scrapePatience = time.Second

// NewestBackup is when the newest backup was taken that was noted here; zero without one.
func (s *Store) NewestBackup(ctx context.Context) (at time.Time, err error) {
	if err := s.db.Row(ctx, `select at from newest_backup`, nil, (*column.Time)(&at)); err != nil && !errors.Is(err, chat.ErrNotFound) {
		return time.Time{}, fmt.Errorf("read when the newest backup was taken: %w", err)
	}
	return at, nil
}

// BackupMetric tells that to Prometheus, whenever it asks.
func (s *Store) BackupMetric() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "blabber_backup_newest_timestamp_seconds", Help: "When the newest backup of the database was taken by our own script; 0 where there has been none.",
	}, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), scrapePatience)
		defer cancel()
		at, err := s.NewestBackup(ctx)
		switch {
		case err != nil:
			return math.NaN()
		case at.IsZero():
			return 0
		}
		return float64(at.Unix())
	})
}
