package api

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/chat"
	"github.com/blabber-hive/blabber-hive/internal/message"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

// sendPatience is how long an answer waits for a message's number.
const sendPatience = 2 * time.Second

type sendInput struct {
	RoomPath
	Body struct {
		ID            chat.MessageID  `json:"id" format:"uuid" doc:"A UUIDv7 that the client makes, the same on every attempt"`
		Body          string          `json:"body" minLength:"1" maxLength:"4000"`
		ReplyTo       *chat.MessageID `json:"reply_to,omitempty" nullable:"true" format:"uuid"`
		AttachmentIDs []string        `json:"attachment_ids,omitempty" nullable:"true" maxItems:"0" doc:"This server takes no uploads"`
		Resend        bool            `json:"resend,omitempty" doc:"Set on every attempt after the first"`
	}
}

// sendOutput is a wire.Message, or an accepted.
type sendOutput struct {
	Status int
	Body   any
}

type accepted struct {
	ID chat.MessageID `json:"id" format:"uuid"`
}

func describeSend(op *huma.Operation, schemas huma.Registry) {
	answer := func(description string, t reflect.Type) *huma.Response {
		return &huma.Response{Description: description, Content: map[string]*huma.MediaType{
			"application/json": {Schema: schemas.Schema(t, true, "")},
		}}
	}
	op.DefaultStatus = http.StatusCreated
	op.Responses = map[string]*huma.Response{
		"200": answer("It had been sent before", reflect.TypeFor[wire.Message]()),
		"201": answer("It is sent and has its number", reflect.TypeFor[wire.Message]()),
		"202": answer("It is on its way; its number will follow", reflect.TypeFor[accepted]()),
	}
}

func (s *Server) sendMessage(ctx context.Context, who account.Identity, in *sendInput) (*sendOutput, error) {
	request := message.Request{Room: in.RoomID, ID: in.Body.ID, Body: in.Body.Body, Resend: in.Body.Resend, At: s.Clock()}
	if in.Body.ReplyTo != nil {
		request.ReplyTo = *in.Body.ReplyTo
	}
	settled := make(chan chat.Outcome, 1)
	err := s.Messages.Send(ctx, who.User.Profile, request, func(receipt chat.Receipt, err error) {
		settled <- chat.Outcome{Receipt: receipt, Err: err}
	})
	if err != nil {
		return nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, sendPatience)
	defer cancel()
	select {
	case outcome := <-settled:
		if outcome.Err == nil && outcome.Receipt.Seq == 0 { // durable, and numbered elsewhere
			return s.sentElsewhere(ctx, waiting, who, request)
		}
		return s.sent(ctx, who, request, outcome)
	case <-waiting.Done():
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return &sendOutput{http.StatusAccepted, accepted{request.ID}}, nil
	}
}

func (s *Server) sent(ctx context.Context, who account.Identity, request message.Request, outcome chat.Outcome) (*sendOutput, error) {
	receipt := outcome.Receipt
	switch {
	case outcome.Err != nil:
		return nil, outcome.Err
	case receipt.Event != nil && receipt.Event.Message != nil && !receipt.Repeat:
		return &sendOutput{http.StatusCreated, wire.MessageFor(receipt.Event.Message, who.User.ID)}, nil
	}
	found, err := s.Messages.Get(ctx, who.User.ID, request.Room, request.ID)
	if err != nil {
		return nil, err
	}
	status := http.StatusCreated
	if receipt.Repeat {
		status = http.StatusOK
	}
	return &sendOutput{status, wire.MessageFor(found, who.User.ID)}, nil
}

// sentElsewhere waits for the number of a message that is durable without one, for as long as waiting goes on.
func (s *Server) sentElsewhere(ctx, waiting context.Context, who account.Identity, request message.Request) (*sendOutput, error) {
	sent, repeat, err := s.Messages.Await(waiting, who.User.ID, request)
	switch {
	case err == nil && repeat:
		return &sendOutput{http.StatusOK, wire.MessageFor(sent, who.User.ID)}, nil
	case err == nil:
		return &sendOutput{http.StatusCreated, wire.MessageFor(sent, who.User.ID)}, nil
	case chat.CodeOf(err) == chat.Unavailable && ctx.Err() == nil:
		return &sendOutput{http.StatusAccepted, accepted{request.ID}}, nil
	}
	return nil, err
}

type listMessagesInput struct {
	RoomPath
	Before chat.Seq `query:"before" minimum:"1" maximum:"9007199254740991" doc:"Only messages with a lower seq"`
	After  chat.Seq `query:"after" minimum:"0" maximum:"9007199254740991" doc:"Only messages with a higher seq"`
	Around chat.Seq `query:"around" minimum:"1" maximum:"9007199254740991" doc:"Messages on both sides of this seq"`
	Limit  int      `query:"limit" minimum:"1" default:"50" doc:"At most 200; more is cut"`

	fromStart bool // after=0 was asked for, which is not the same as not asking
}

// Resolve tells after=0 from no after at all.
func (in *listMessagesInput) Resolve(ctx huma.Context) []error {
	in.fromStart = in.After == 0 && ctx.Query("after") != ""
	return nil
}

type messagesOutput struct {
	Body struct {
		Messages []wire.Message `json:"messages"`
		Head     chat.Seq       `json:"head"`
	}
}

func (s *Server) listMessages(ctx context.Context, who account.Identity, in *listMessagesInput) (*messagesOutput, error) {
	query := chat.HistoryQuery{Before: in.Before, After: in.After, Around: in.Around, FromStart: in.fromStart, Limit: in.Limit}
	messages, head, err := s.History.Messages(ctx, who.User.ID, in.RoomID, query)
	if err != nil {
		return nil, err
	}
	var out messagesOutput
	out.Body.Head = head
	out.Body.Messages = mapAll(messages, func(m chat.Message) wire.Message { return wire.MessageFor(&m, who.User.ID) })
	return &out, nil
}

type listChangesInput struct {
	RoomPath
	After chat.Seq `query:"after" maximum:"9007199254740991" doc:"The position: the highest seq that is known"`
	Limit int      `query:"limit" minimum:"1" default:"200" doc:"At most 1000; more is cut"`
}

type changesOutput struct {
	Body struct {
		Events  []wire.Event `json:"events"`
		Through chat.Seq     `json:"through" doc:"Numbers up to this one that have no event are void"`
		Head    chat.Seq     `json:"head"`
		More    bool         `json:"more"`
	}
}

func (s *Server) listChanges(ctx context.Context, who account.Identity, in *listChangesInput) (*changesOutput, error) {
	page, err := s.History.Changes(ctx, who.User.ID, in.RoomID, in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	var out changesOutput
	out.Body.Through, out.Body.Head, out.Body.More = page.Through, page.Head, page.More
	out.Body.Events = mapAll(page.Events, func(e chat.Event) wire.Event { return wire.EventFor(&e, who.User.ID) })
	return &out, nil
}

type editInput struct {
	MessagePath
	Body struct {
		Body string `json:"body" minLength:"1" maxLength:"4000"`
	}
}

type messageOutput struct{ Body wire.Message }

func (s *Server) editMessage(ctx context.Context, who account.Identity, in *editInput) (*messageOutput, error) {
	edited, err := s.Messages.Edit(ctx, who.User.Profile, in.RoomID, in.MessageID, in.Body.Body)
	if err != nil {
		return nil, err
	}
	return &messageOutput{wire.MessageFor(edited, who.User.ID)}, nil
}

func (s *Server) deleteMessage(ctx context.Context, who account.Identity, in *MessagePath) (*noOutput, error) {
	_, err := s.Messages.Delete(ctx, who.User.Profile, in.RoomID, in.MessageID)
	return &noOutput{}, err
}

// ReactionPath names an emoji under a message.
type ReactionPath struct {
	MessagePath
	Emoji string `path:"emoji"`
}

func (s *Server) addReaction(ctx context.Context, who account.Identity, in *ReactionPath) (*noOutput, error) {
	return s.react(ctx, who, in, true)
}

func (s *Server) removeReaction(ctx context.Context, who account.Identity, in *ReactionPath) (*noOutput, error) {
	return s.react(ctx, who, in, false)
}

func (s *Server) react(ctx context.Context, who account.Identity, in *ReactionPath, added bool) (*noOutput, error) {
	_, err := s.Messages.React(ctx, who.User.Profile, in.RoomID, in.MessageID, in.Emoji, added)
	return &noOutput{}, err
}
