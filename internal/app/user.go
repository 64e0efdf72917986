package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"text/tabwriter"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/adapter/memory"
	"github.com/blabber-hive/blabber-hive/internal/app/terminal"
)

type userCommand struct {
	Create        userCreate  `cmd:"" help:"Make an account, whether sign-up is open or not."`
	Disable       userDisable `cmd:"" help:"Lock an account and sign it out everywhere. What it wrote stays."`
	Enable        userEnable  `cmd:"" help:"Unlock an account."`
	ResetPassword userReset   `cmd:"" help:"Give an account a new password and sign it out everywhere."`
	MakeAdmin     userPromote `cmd:"" help:"Make an account an administrator's."`
	RevokeAdmin   userDemote  `cmd:"" help:"Make an administrator's account an ordinary one."`
	List          userList    `cmd:"" help:"List the accounts."`
}

type userTarget struct {
	Data     `embed:""`
	Username string `arg:"" help:"Name that the person signs in with."`
}

type password struct {
	PasswordStdin bool `xor:"password" help:"Read the password from the first line of standard input."`
	Generate      bool `xor:"password" help:"Make a password and print it."`
}

// read gives the password and whether it was made here. A password is never an argument: every user of the machine can
// read those.
func (c password) read(p *Process) (secret string, made bool, err error) {
	switch {
	case c.Generate:
		return newPassword(), true, nil
	case c.PasswordStdin:
		secret, err = terminal.FirstLine(p.In)
	case terminal.Is(p.In):
		secret, err = terminal.AskTwice(p.In, p.Err, "Password: ", "Once more: ")
	default:
		err = &UsageError{errors.New("there is no terminal to ask for a password on: give --password-stdin or --generate")}
	}
	return secret, false, err
}

type userCreate struct {
	userTarget `embed:""`
	password   `embed:""`

	DisplayName string `placeholder:"NAME" help:"Name that others see. Without it, the username."`
	Email       string `placeholder:"ADDRESS" help:"E-mail address, for the operator's own use."`
	Admin       bool   `help:"Make it an administrator's account."`
}

// Run makes an account.
func (c *userCreate) Run(p *Process) error {
	if err := c.Check(); err != nil {
		return err
	}
	secret, made, err := c.read(p)
	if err != nil {
		return err
	}
	return c.do(p, userOrder{
		Do: doCreate, Username: c.Username, Password: secret, DisplayName: c.DisplayName, Email: c.Email, Admin: c.Admin,
	}, func(user userLine) {
		fmt.Fprintf(p.Out, "Made the account %s.\n", user.Username)
		p.tellPassword(secret, made)
	})
}

type userReset struct {
	userTarget `embed:""`
	password   `embed:""`
}

// Run gives an account a new password.
func (c *userReset) Run(p *Process) error {
	if err := c.Check(); err != nil {
		return err
	}
	secret, made, err := c.read(p)
	if err != nil {
		return err
	}
	return c.do(p, userOrder{Do: doResetPassword, Username: c.Username, Password: secret}, func(user userLine) {
		fmt.Fprintf(p.Out, "The account %s has a new password and is signed out everywhere.\n", user.Username)
		p.tellPassword(secret, made)
	})
}

func (p *Process) tellPassword(secret string, made bool) {
	if made {
		fmt.Fprintf(p.Out, "Password: %s\n", secret)
	}
}

type userDisable struct {
	userTarget `embed:""`
}

// Run locks an account.
func (c *userDisable) Run(p *Process) error {
	return c.do(p, userOrder{Do: doDisable, Username: c.Username}, func(user userLine) {
		fmt.Fprintf(p.Out, "The account %s is locked and signed out everywhere.\n", user.Username)
	})
}

type userEnable struct {
	userTarget `embed:""`
}

// Run unlocks an account.
func (c *userEnable) Run(p *Process) error {
	return c.do(p, userOrder{Do: doEnable, Username: c.Username}, func(user userLine) {
		fmt.Fprintf(p.Out, "The account %s can sign in.\n", user.Username)
	})
}

type userPromote struct {
	userTarget `embed:""`
}

// Run makes an administrator.
func (c *userPromote) Run(p *Process) error {
	return c.do(p, userOrder{Do: doMakeAdmin, Username: c.Username}, func(user userLine) {
		fmt.Fprintf(p.Out, "The account %s is an administrator's.\n", user.Username)
	})
}

type userDemote struct {
	userTarget `embed:""`
}

// Run takes an administrator's rights away.
func (c *userDemote) Run(p *Process) error {
	return c.do(p, userOrder{Do: doRevokeAdmin, Username: c.Username}, func(user userLine) {
		fmt.Fprintf(p.Out, "The account %s is an ordinary one.\n", user.Username)
	})
}

type userList struct {
	Data `embed:""`
}

// Run lists accounts.
func (c *userList) Run(p *Process) error {
	if err := c.Check(); err != nil {
		return err
	}
	if err := c.mustExist(); err != nil {
		return err
	}
	table := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "USERNAME\tNAME\tADMIN\tLOCKED")
	err := c.operate(p, func(ctx context.Context, operator operator) error {
		result, err := operator.order(ctx, userOrder{Do: doList})
		for _, user := range result.Users {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", user.Username, user.DisplayName, yes(user.Admin), yes(user.Disabled))
		}
		if result.More {
			fmt.Fprintf(table, "… and more than these %d.\n", len(result.Users))
		}
		return err
	})
	return errors.Join(err, table.Flush())
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return ""
}

// do carries one order out and tells of the account that it concerned.
func (c *userTarget) do(p *Process, order userOrder, tell func(user userLine)) error {
	if err := c.Check(); err != nil {
		return err
	}
	return c.operate(p, func(ctx context.Context, operator operator) error {
		result, err := operator.order(ctx, order)
		if err != nil {
			return err
		}
		for _, user := range result.Users {
			tell(user)
		}
		return nil
	})
}

// operate lets orders be carried out by the server that runs on the data, so that its connections end at once and its
// caches forget, or, where none runs, by this process.
func (d Data) operate(p *Process, orders func(ctx context.Context, operator operator) error) error {
	ctx, release := p.untilSignal()
	defer release()
	if d.Cluster.on() {
		return d.operateCluster(ctx, orders)
	}
	path, err := socketName(d.DataDir)
	if err != nil {
		return err
	}
	if err := orders(ctx, controlOperator{path}); !errors.Is(err, errNoServer) {
		return err
	}
	store, err := d.openStore(ctx)
	if err != nil {
		return err
	}
	accounts, err := newAccounts(account.DefaultConfig(), store, noSignals{}, memory.NewLimiter(time.Now), nil, slog.New(slog.DiscardHandler))
	if err == nil {
		err = orders(ctx, accountOperator{accounts, store})
	}
	return errors.Join(err, store.Close())
}
