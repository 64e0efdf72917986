package terminal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

const lineBytesMax = 4 << 10

// Is reports whether a person sits at a file.
func Is(file *os.File) bool { return file != nil && term.IsTerminal(int(file.Fd())) }

// FirstLine reads one line of standard input, without its end.
func FirstLine(in *os.File) (string, error) {
	if in == nil {
		return "", errors.New("there is no standard input")
	}
	line, err := bufio.NewReader(io.LimitReader(in, lineBytesMax)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read standard input: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// AskTwice asks for a secret, which is not shown, and once more, since a slip could not be seen either.
func AskTwice(in *os.File, out io.Writer, first, second string) (string, error) {
	secret, err := ask(in, out, first)
	if err != nil {
		return "", err
	}
	again, err := ask(in, out, second)
	if err != nil {
		return "", err
	}
	if secret != again {
		return "", errors.New("the two are not the same; nothing was changed")
	}
	return secret, nil
}

func ask(in *os.File, out io.Writer, prompt string) (string, error) {
	fmt.Fprint(out, prompt)
	secret, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(out)
	if err != nil {
		return "", fmt.Errorf("read from the terminal: %w", err)
	}
	return string(secret), nil
}
