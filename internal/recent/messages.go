package recent

import (
	"context"
	"slices"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// Messages reads messages ascending by seq as the query says, and the head up to which they are right.
func (r *Reader) Messages(ctx context.Context, room chat.RoomID, query chat.HistoryQuery) ([]chat.Message, chat.Seq, error) {
	query.Limit = min(max(query.Limit, 1), chat.PageMax)
	stored, head, err := r.store.Messages(ctx, room, query)
	if err != nil && !away(err) {
		return nil, 0, err
	}
	t := r.beyond(ctx, room, head)
	if err != nil || t.apart() {
		if page, ok := within(&t, query); ok {
			return page, t.head(), nil
		}
		switch {
		case err != nil:
			return nil, 0, err
		case query.Before > head+1, query.Around > head, (query.After > 0 || query.FromStart) && query.After >= head:
			return nil, 0, inTheGap()
		}
		return stored, head, nil
	}
	for i := range stored {
		stored[i] = *t.newer(&stored[i])
	}
	page, _ := pick(append(stored, t.messages()...), query)
	return page, t.head(), nil
}

// within answers from the tail alone; ok is false where that is not sure to be all.
func within(t *tail, query chat.HistoryQuery) (page []chat.Message, ok bool) {
	if len(t.events) == 0 || t.head() < t.top {
		return nil, false
	}
	page, cut := pick(t.messages(), query)
	first := t.events[0].Seq
	switch {
	case query.After > 0 || query.FromStart:
		cut = query.After+1 < first
	case query.Around > 0:
		cut = cut || query.Around < first
	}
	return page, !cut || first == 1
}

// pick takes the page that a query asks for out of messages that are ascending. cut says that older messages than there
// are would belong to it too.
func pick(messages []chat.Message, query chat.HistoryQuery) (page []chat.Message, cut bool) {
	from := func(seq chat.Seq) int {
		at, _ := slices.BinarySearchFunc(messages, seq, func(m chat.Message, seq chat.Seq) int {
			switch {
			case m.Seq < seq:
				return -1
			case m.Seq > seq:
				return 1
			}
			return 0
		})
		return at
	}
	end := len(messages)
	switch {
	case query.After > 0 || query.FromStart:
		newer := messages[end:]
		if query.After+1 != 0 { // nothing comes after the last number there can be
			newer = messages[from(query.After+1):]
		}
		return newer[:min(len(newer), query.Limit)], false
	case query.Around > 0:
		at := from(query.Around)
		older, newer := messages[:at], messages[at:]
		// Half of the page for what was before and half for the asked one and what came after; where one side has less the
		// other gets the rest.
		cut = len(older) < query.Limit/2
		newer = newer[:min(len(newer), query.Limit-min(len(older), query.Limit/2))]
		older = older[max(0, len(older)-(query.Limit-len(newer))):]
		at -= len(older)
		page = messages[at : at+len(older)+len(newer)]
		return page, cut || len(page) < query.Limit
	case query.Before > 0:
		end = from(query.Before)
	}
	page = messages[max(0, end-query.Limit):end]
	return page, len(page) < query.Limit
}
