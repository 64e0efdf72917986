package app

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/term"
)

const lineBytesMax = 4 << 10

func (p *Process) atTerminal() bool { return p.In != nil && term.IsTerminal(int(p.In.Fd())) }

// firstLine reads one line of standard input, without its end.
func (p *Process) firstLine() (string, error) {
	if p.In == nil {
		return "", errors.New("there is no standard input")
	}
	line, err := bufio.NewReader(io.LimitReader(p.In, lineBytesMax)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read standard input: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// askTwice asks for a secret, which is not shown, and once more, since a slip could not be seen either.
func (p *Process) askTwice(first, second string) (string, error) {
	secret, err := p.ask(first)
	if err != nil {
		return "", err
	}
	again, err := p.ask(second)
	if err != nil {
		return "", err
	}
	if secret != again {
		return "", errors.New("the two are not the same; nothing was changed")
	}
	return secret, nil
}

func (p *Process) ask(prompt string) (string, error) {
	fmt.Fprint(p.Err, prompt)
	secret, err := term.ReadPassword(int(p.In.Fd()))
	fmt.Fprintln(p.Err)
	if err != nil {
		return "", fmt.Errorf("read from the terminal: %w", err)
	}
	return string(secret), nil
}
