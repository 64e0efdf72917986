package postgres

import (
	"context"
	"fmt"

	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/audit"
	"github.com/blabber-hive/blabber-hive/internal/adapter/postgres/engine"
)

// Audit reports what contradicts itself in what the store derives, all of one moment.
func (s *Store) Audit(ctx context.Context, report func(finding string)) error {
	if err := s.db.Long(ctx, func(c *engine.Conn) error { return audit.Run(c, report) }); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}
