package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"

	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// The control socket is how commands reach the server that has the data open. Whoever may open it may read the data
// folder too, so it asks for no credentials.
const (
	controlName     = "control.sock"
	controlPath     = "/user"
	controlMode     = 0o600
	orderBytesMax   = 64 << 10
	resultBytesMax  = 1 << 20
	socketNameLimit = 100 // systems differ; none takes more than 108 bytes
)

// errNoServer says that no server has the data open.
var errNoServer = errors.New("no server runs on this data")

func socketName(dataDir string) (string, error) {
	path, err := filepath.Abs(filepath.Join(dataDir, controlName))
	if err != nil {
		return "", fmt.Errorf("find the data folder: %w", err)
	}
	return path, nil
}

// openControl listens on the control socket. A server that cannot have one serves all the same.
func (s *Server) openControl(ctx context.Context) error {
	path, err := socketName(s.config.DataDir)
	if err != nil {
		return err
	}
	if len(path) > socketNameLimit {
		s.log.WarnContext(ctx, "the path of the data folder is too long for a control socket: stop the server before you use 'user' commands", "path", path)
		return nil
	}
	// One that is there is of a server that was killed: the lock on the folder says that none runs.
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the old control socket: %w", err)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if err == nil {
		err = os.Chmod(path, controlMode)
	}
	if err != nil {
		s.log.WarnContext(ctx, "there is no control socket: stop the server before you use 'user' commands", "error", err)
		if listener != nil {
			_ = listener.Close() // nothing was said on it
		}
		return nil
	}
	s.serve("control socket", listener, takeOrders(accountOperator{s.accounts}))
	return nil
}

type controlAnswer struct {
	userResult
	Refused string `json:"refused,omitempty"`
}

func takeOrders(operator operator) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+controlPath, func(w http.ResponseWriter, r *http.Request) {
		var order userOrder
		var answer controlAnswer
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, orderBytesMax)).Decode(&order)
		if err == nil {
			answer.userResult, err = operator.order(r.Context(), order)
		}
		if err != nil {
			answer.Refused = err.Error()
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer) // the caller has gone: nobody to tell
	})
	return mux
}

// controlOperator has orders carried out by the server that runs on a data folder.
type controlOperator struct{ path string }

func (o controlOperator) order(ctx context.Context, order userOrder) (userResult, error) {
	body, err := json.Marshal(order) //nolint:gosec // the password goes to the server that keeps its hash, over a socket of its own user
	if err != nil {
		return userResult{}, fmt.Errorf("encode an order: %w", err)
	}
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", o.path)
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://control"+controlPath, bytes.NewReader(body))
	if err != nil {
		return userResult{}, fmt.Errorf("ask the server: %w", err)
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return userResult{}, errNoServer
	case err != nil:
		return userResult{}, fmt.Errorf("ask the server: %w", err)
	}
	defer response.Body.Close()
	var answer controlAnswer
	if err := json.NewDecoder(io.LimitReader(response.Body, resultBytesMax)).Decode(&answer); err != nil {
		return userResult{}, fmt.Errorf("read the server's answer: %w", err)
	}
	if answer.Refused != "" {
		return userResult{}, errors.New(answer.Refused)
	}
	return answer.userResult, nil
}

// noSignals is for a process without connections: there is nobody to tell.
type noSignals struct{}

func (noSignals) Signal(context.Context, chat.Signal) error { return nil }
