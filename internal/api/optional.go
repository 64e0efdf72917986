package api

import (
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// optional is a field of a change where leaving it out, which changes nothing, and null, which clears it, differ.
type optional[T any] struct {
	given bool
	value *T
}

// UnmarshalJSON is called only for a field that is there.
func (o *optional[T]) UnmarshalJSON(data []byte) error {
	o.given = true
	return json.Unmarshal(data, &o.value)
}

// Schema is that of the value, or null.
func (optional[T]) Schema(registry huma.Registry) *huma.Schema {
	schema := *registry.Schema(reflect.TypeFor[T](), false, "")
	schema.Nullable = true
	return &schema
}

// or gives what a change wants: nothing where the field was left out, none where it was null.
func (o optional[T]) or(none T) *T {
	switch {
	case !o.given:
		return nil
	case o.value == nil:
		return &none
	}
	return o.value
}

// cursorOrNull writes where the next page begins, and null at the end.
func cursorOrNull(next chat.Cursor) *string {
	if next == "" {
		return nil
	}
	text := string(next)
	return &text
}

// The types below are exported because huma reads only exported fields, and the name of an embedded type is one.

// PageInput asks for a page of a list.
type PageInput struct {
	Cursor string `query:"cursor" maxLength:"200" doc:"next_cursor of the page before"`
	Limit  int    `query:"limit" minimum:"1" default:"50" doc:"At most 200; more is cut"`
}

// RoomPath names a room.
type RoomPath struct {
	RoomID chat.RoomID `path:"room_id" format:"uuid"`
}

// MemberPath names a person in a room.
type MemberPath struct {
	RoomPath
	UserID chat.UserID `path:"user_id" format:"uuid"`
}

// MessagePath names a message in a room.
type MessagePath struct {
	RoomPath
	MessageID chat.MessageID `path:"message_id" format:"uuid"`
}

// mapAll gives the list with f applied to each; an empty list, never null.
func mapAll[A, B any](list []A, f func(A) B) []B {
	mapped := make([]B, len(list))
	for i, a := range list {
		mapped[i] = f(a)
	}
	return mapped
}
