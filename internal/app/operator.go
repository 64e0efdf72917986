package app

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// What an operator asks for.
const (
	doCreate        = "create"
	doDisable       = "disable"
	doEnable        = "enable"
	doResetPassword = "reset-password"
	doMakeAdmin     = "make-admin"
	doRevokeAdmin   = "revoke-admin"
	doList          = "list"
)

// userOrder is what an operator asks for, and what it needs.
type userOrder struct {
	Do          string      `json:"do"`
	Username    string      `json:"username,omitempty"`
	Password    string      `json:"password,omitempty"`
	DisplayName string      `json:"display_name,omitempty"`
	Email       string      `json:"email,omitempty"`
	Admin       bool        `json:"admin,omitempty"`
	After       chat.Cursor `json:"after,omitempty"`
}

// userResult is what came of it: the accounts that were changed or listed, and where the list goes on.
type userResult struct {
	Users []userLine  `json:"users"`
	Next  chat.Cursor `json:"next,omitempty"`
}

type userLine struct {
	Username    string `json:"username"`
	DisplayName string `json:"display_name"`
	Admin       bool   `json:"admin,omitempty"`
	Disabled    bool   `json:"disabled,omitempty"`
}

// operator carries orders out: in the server that runs, or in the command where none does.
type operator interface {
	order(ctx context.Context, order userOrder) (userResult, error)
}

// accountOperator is the operator of the process that has the store open.
type accountOperator struct{ accounts *account.Service }

const listPage = 200

func (o accountOperator) order(ctx context.Context, order userOrder) (userResult, error) {
	var user chat.User
	var err error
	switch order.Do {
	case doCreate:
		user, err = o.create(ctx, order)
	case doDisable, doEnable:
		user, err = o.accounts.SetDisabled(ctx, order.Username, order.Do == doDisable)
	case doMakeAdmin, doRevokeAdmin:
		user, err = o.accounts.SetAdmin(ctx, order.Username, order.Do == doMakeAdmin)
	case doResetPassword:
		if err = o.accounts.ResetPassword(ctx, order.Username, order.Password); err == nil {
			user, err = o.accounts.Find(ctx, order.Username)
		}
	case doList:
		return o.list(ctx, order.After)
	default:
		err = chat.Refuse(chat.BadRequest, "there is no order %q; is the server of another version?", order.Do)
	}
	if err != nil {
		return userResult{}, inWords(order, err)
	}
	return userResult{Users: []userLine{lineOf(user)}}, nil
}

func (o accountOperator) create(ctx context.Context, order userOrder) (chat.User, error) {
	user, err := o.accounts.Create(ctx, account.NewUser{
		Username: order.Username, Password: order.Password, DisplayName: order.DisplayName, Email: order.Email,
	})
	if err != nil || !order.Admin {
		return user, err
	}
	return o.accounts.SetAdmin(ctx, order.Username, true)
}

func (o accountOperator) list(ctx context.Context, after chat.Cursor) (userResult, error) {
	users, next, err := o.accounts.Users.SearchUsers(ctx, "", after, listPage)
	if err != nil {
		return userResult{}, fmt.Errorf("list accounts: %w", err)
	}
	result := userResult{Users: make([]userLine, len(users)), Next: next}
	for i, user := range users {
		result.Users[i] = lineOf(user)
	}
	return result, nil
}

func lineOf(user chat.User) userLine {
	return userLine{Username: user.Username, DisplayName: user.DisplayName, Admin: user.Admin, Disabled: user.Disabled}
}

// inWords turns a refusal into a sentence for the person at the terminal. Other errors stay as they are.
func inWords(order userOrder, err error) error {
	refusal, ok := errors.AsType[*chat.Error](err)
	switch {
	case !ok || refusal.Err != nil:
		return err
	case refusal.Code == chat.NotFound:
		return fmt.Errorf("there is no account %q; 'user list' shows those that there are", order.Username)
	case refusal.Code == chat.UsernameTaken:
		return fmt.Errorf("there is an account %q already", strings.ToLower(order.Username))
	}
	return errors.New(refusal.Detail)
}

// passwordBytes is how much randomness is in a password that is made here: more than anyone can try.
const passwordBytes = 15

// newPassword makes a password of 24 letters and digits that are hard to confuse.
func newPassword() string {
	var random [passwordBytes]byte
	_, _ = rand.Read(random[:]) // never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(random[:]))
}
