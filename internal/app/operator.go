package app

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/archive"
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
	Do          string `json:"do"`
	Username    string `json:"username,omitempty"`
	Password    string `json:"password,omitempty"`
	DisplayName string `json:"display_name,omitempty"`
	Email       string `json:"email,omitempty"`
	Admin       bool   `json:"admin,omitempty"`
}

// userResult is what came of it: the accounts that were changed or listed. More: there are others.
type userResult struct {
	Users []userLine `json:"users"`
	More  bool       `json:"more,omitempty"`
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
type accountOperator struct {
	accounts *account.Service
	source   archive.Source
}

// listMax is how many accounts are listed; who has more looks for them in the client.
const listMax = 50_000

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
		return o.list(ctx)
	default:
		err = chat.Refuse(chat.BadRequest, "there is no order %q; is the server of another version?", order.Do)
	}
	if err != nil {
		return userResult{}, aboutUser(order, err)
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

// list reads accounts, locked ones too, which searching leaves out. They come first of all that is stored.
func (o accountOperator) list(ctx context.Context) (result userResult, err error) {
	enough := errors.New("all accounts are read")
	err = o.source.Rows(ctx, func(row chat.Row) error {
		if row.Account == nil {
			return enough
		}
		if result.More = len(result.Users) == listMax; result.More {
			return enough
		}
		result.Users = append(result.Users, lineOf(row.Account.User))
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		return userResult{}, fmt.Errorf("list accounts: %w", err)
	}
	slices.SortFunc(result.Users, func(a, b userLine) int { return strings.Compare(a.Username, b.Username) })
	return result, nil
}

func lineOf(user chat.User) userLine {
	return userLine{Username: user.Username, DisplayName: user.DisplayName, Admin: user.Admin, Disabled: user.Disabled}
}

// aboutUser turns a refusal of an order into a sentence for the person at the terminal.
func aboutUser(order userOrder, err error) error {
	switch chat.CodeOf(err) {
	case chat.NotFound:
		return fmt.Errorf("there is no account %q; 'user list' shows those that there are", order.Username)
	case chat.UsernameTaken:
		return fmt.Errorf("there is an account %q already", strings.ToLower(order.Username))
	default:
		return inWords(err)
	}
}

// inWords turns a refusal into its sentence. Other errors, and those with a cause, stay as they are.
func inWords(err error) error {
	if refusal, ok := errors.AsType[*chat.Error](err); ok && refusal.Err == nil {
		return errors.New(refusal.Detail)
	}
	return err
}

// passwordBytes is how much randomness is in a password that is made here: more than anyone can try.
const passwordBytes = 15

// newPassword makes a password of 24 letters and digits that are hard to confuse.
func newPassword() string {
	var random [passwordBytes]byte
	_, _ = rand.Read(random[:]) // never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(random[:]))
}
