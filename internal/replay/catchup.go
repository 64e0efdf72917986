package replay

import (
	"context"
	"errors"
	"fmt"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Behind is a store that a backup was restored into: whole up to one moment, and behind its log.
type Behind interface {
	// BeginCatchUp marks the store as behind its log, which nobody serves, and notes where the numbers of its rooms end. What
	// was begun and not ended is gone on with, and the note stays. chat.Conflict, with a sentence for people: it is only a part of something else.
	BeginCatchUp(ctx context.Context) error
	// Position is the offset up to which a partition is stored.
	Position(ctx context.Context, partition int) (chat.Offset, error)
	// Put adds accounts and rooms as one transaction. What is already there stays as it is.
	Put(ctx context.Context, rows []chat.Row) error
	// Update runs a change of one room as one transaction.
	Update(ctx context.Context, room chat.RoomID, change func(tx chat.RoomTx) error) error
	// Since calls visit with the events about rooms and members beyond that note; those of a room ascending by number.
	Since(ctx context.Context, visit func(event *chat.Event) error) error
	// EndCatchUp takes the mark and the note away.
	EndCatchUp(ctx context.Context) error
}

// CatchUp brings a restored store to where its log is, in the same steps as a replay, from where each partition is stored. What numbering would
// do by itself, when servers start, would leave out the rooms that were made since: no batch makes one.
type CatchUp struct {
	Log   Log
	Store Behind
	// Number has a log numbered and stored to its end, as sequencers do, and ends with the first thing that fails.
	Number func(ctx context.Context, log *Stretch) error
	// Progress is told how far all of it is, by one caller at a time.
	Progress func(done, total int64)
}

// Run brings the store up to the log. It may be cut short at any point and run again.
func (c *CatchUp) Run(ctx context.Context) (Caught, error) {
	if err := refuseBeside(ctx, c.Log); err != nil {
		return Caught{}, err
	}
	_, extents, err := c.Log.Extents(ctx)
	if err != nil {
		return Caught{}, fmt.Errorf("catch up: %w", err)
	}
	if err := c.begin(ctx, extents); err != nil {
		return Caught{}, err
	}
	stretch := newStretch(c.Log, extents, c.Progress)
	survey, err := stretch.survey(ctx)
	if err != nil {
		return Caught{}, fmt.Errorf("catch up: look through the log: %w", err)
	}
	if err := c.Store.BeginCatchUp(ctx); err != nil {
		return Caught{}, err
	}
	caught := Caught{Records: survey.summary.Records, Unreadable: survey.summary.Unreadable, DeletedRooms: survey.summary.DeletedRooms}
	if err := c.people(ctx, survey, &caught); err != nil {
		return Caught{}, fmt.Errorf("catch up: %w", err)
	}
	if err := c.Number(ctx, stretch); err != nil {
		return Caught{}, inNumbering(err)
	}
	if err := ctx.Err(); err != nil {
		return Caught{}, fmt.Errorf("catch up: %w", err)
	}
	if err := c.fold(ctx, &caught); err != nil {
		return Caught{}, fmt.Errorf("catch up: %w", err)
	}
	if err := c.Store.EndCatchUp(ctx); err != nil {
		return Caught{}, err
	}
	caught.Homeless = stretch.homeless(survey)
	return caught, nil
}

// begin lets each partition's extent begin where it is stored, if the log has all of it from there on.
func (c *CatchUp) begin(ctx context.Context, extents []chat.Extent) error {
	for number := range extents {
		extent := &extents[number]
		stored, err := c.Store.Position(ctx, number)
		switch {
		case err != nil:
			return fmt.Errorf("catch up: %w", err)
		case stored < extent.First:
			return chat.Refuse(chat.Conflict, "partition %d is stored up to offset %d, and the log begins at %d: what was said in between was deleted from the log "+
				"before this backup was restored; take a newer backup", number, stored, extent.First)
		case stored > extent.End:
			return chat.Refuse(chat.Conflict, "partition %d is stored up to offset %d, and the log ends at %d: it is another log than this database was made of, "+
				"or it has lost records", number, stored, extent.End)
		}
		extent.First = stored
	}
	return nil
}

// people puts in what numbering needs to be there, and takes away what it must not find.
func (c *CatchUp) people(ctx context.Context, survey *survey, caught *Caught) error {
	rows := survey.rows()
	if err := put(ctx, c.Store, rows); err != nil {
		return fmt.Errorf("put accounts and rooms: %w", err)
	}
	for _, row := range rows {
		if row.Room != nil {
			caught.NewRooms++
		}
	}
	for id, room := range survey.rooms {
		if !room.deleted {
			continue
		}
		err := c.Store.Update(ctx, id, func(tx chat.RoomTx) error { return tx.DeleteRoom() })
		if err != nil && !errors.Is(err, chat.ErrNotFound) {
			return fmt.Errorf("delete room %s: %w", id, err)
		}
	}
	return nil
}

// fold writes what the events since the backup make of rooms, members and bans.
func (c *CatchUp) fold(ctx context.Context, caught *Caught) error {
	f := newFold()
	if err := c.Store.Since(ctx, func(event *chat.Event) error {
		f.event(event)
		return nil
	}); err != nil {
		return fmt.Errorf("read what was stored: %w", err)
	}
	if err := change(ctx, c.Store, f.changed); err != nil {
		return err
	}
	caught.Members = int64(len(f.last))
	for at, m := range f.last {
		if err := c.Store.Update(ctx, at.room, func(tx chat.RoomTx) error { return f.settle(tx, at, m) }); err != nil {
			return fmt.Errorf("member %s of room %s: %w", at.user, at.room, err)
		}
	}
	return nil
}
