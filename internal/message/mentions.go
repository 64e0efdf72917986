package message

import (
	"context"
	"slices"
	"strings"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// mentionAll is the name that stands for everyone in the room.
const mentionAll = "all"

// mentions resolves the @names in a body to members of the room, in the order of their ids; others are just text.
func (s *Service) mentions(ctx context.Context, room chat.RoomID, body string) (users []chat.UserID, all bool, err error) {
	names := mentionedNames(body)
	if i := slices.Index(names, mentionAll); i >= 0 {
		all = true
		names = slices.Delete(names, i, i+1)
	}
	if len(names) == 0 {
		return nil, all, nil
	}
	users, err = s.store.MembersNamed(ctx, room, names)
	if err != nil {
		return nil, false, err
	}
	slices.SortFunc(users, func(a, b chat.UserID) int { return slices.Compare(a[:], b[:]) })
	return users, all, nil
}

// mentionedNames finds the folded usernames written as @name, each once, at most chat.MentionsMax. An @ counts where no
// letter or digit stands before it, so that an e-mail address mentions nobody; trailing dots and dashes end a sentence,
// not a name.
func mentionedNames(body string) []string {
	var names []string
	for at := strings.IndexByte(body, '@'); at >= 0 && len(names) < chat.MentionsMax; {
		end := at + 1
		for end < len(body) && isNameByte(body[end]) {
			end++
		}
		name := strings.ToLower(strings.TrimRight(body[at+1:end], ".-"))
		if name != "" && (at == 0 || !isNameByte(body[at-1])) && !slices.Contains(names, name) {
			names = append(names, name)
		}
		next := strings.IndexByte(body[end:], '@')
		if next < 0 {
			break
		}
		at = end + next
	}
	return names
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '-'
}
