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
	"strings"
	"syscall"

	"github.com/blabber-hive/blabber-hive/internal/archive"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

// The control socket is how commands reach the server that has the data open. Whoever may open it may read the data
// folder too, so it asks for no credentials.
const (
	controlName     = "control.sock"
	orderPath       = "/user"
	exportPath      = "/export"
	verifyPath      = "/verify"
	errorTrailer    = "Blabber-Hive-Error" // why an export ended early
	controlMode     = 0o600
	orderBytesMax   = 64 << 10
	resultBytesMax  = 64 << 20 // listMax accounts
	socketNameLimit = 100      // systems differ; none takes more than 108 bytes
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
	if s.config.Cluster.on() {
		return nil // commands work on the database and tell all servers over the bus
	}
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
	s.serve("control socket", listener, takeOrders(accountOperator{s.accounts, s.store}, storeKeeper{store: s.store, version: s.version}))
	return nil
}

type controlAnswer struct {
	userResult
	Refused string `json:"refused,omitempty"`
}

func takeOrders(operator operator, keeper keeper) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+orderPath, func(w http.ResponseWriter, r *http.Request) {
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
	mux.HandleFunc("POST "+exportPath, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", errorTrailer)
		w.Header().Set("Content-Type", "application/x-tar")
		if err := keeper.export(r.Context(), w); err != nil {
			w.Header().Set(errorTrailer, strings.ReplaceAll(err.Error(), "\n", "; "))
		}
	})
	mux.HandleFunc("POST "+verifyPath, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		lines := json.NewEncoder(w)
		tell := func(line verifyLine) { _ = lines.Encode(line) } // the caller has gone: nobody to tell
		counts, err := keeper.verify(r.Context(), func(finding string) { tell(verifyLine{Finding: finding}) })
		end := verifyLine{Counts: &counts}
		if err != nil {
			end.Failed = err.Error()
		}
		tell(end)
	})
	return mux
}

// verifyLine is a finding, or at the end what was looked at and what went wrong in looking.
type verifyLine struct {
	Finding string          `json:"finding,omitempty"`
	Counts  *archive.Counts `json:"counts,omitempty"`
	Failed  string          `json:"failed,omitempty"`
}

// controlOperator has orders carried out by the server that runs on a data folder.
type controlOperator struct{ path string }

func (o controlOperator) order(ctx context.Context, order userOrder) (userResult, error) {
	body, err := json.Marshal(order) //nolint:gosec // the password goes to the server that keeps its hash, over a socket of its own user
	if err != nil {
		return userResult{}, fmt.Errorf("encode an order: %w", err)
	}
	response, err := post(ctx, o.path, orderPath, body)
	if err != nil {
		return userResult{}, err
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

// post asks the server that listens on a control socket. errNoServer: none does.
func post(ctx context.Context, socket, path string, body []byte) (*http.Response, error) {
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://control"+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask the server: %w", err)
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, errNoServer
	case err != nil:
		return nil, fmt.Errorf("ask the server: %w", err)
	case response.StatusCode != http.StatusOK:
		_ = response.Body.Close() // it only says what the status says
		return nil, fmt.Errorf("the server answers %s; is it of another version?", response.Status)
	}
	return response, nil
}

// controlKeeper has the data copied and checked by the server that runs on it.
type controlKeeper struct{ path string }

func (k controlKeeper) export(ctx context.Context, w io.Writer) error {
	response, err := post(ctx, k.path, exportPath, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(w, response.Body); err != nil {
		return fmt.Errorf("write what the server exports: %w", err)
	}
	if reason := response.Trailer.Get(errorTrailer); reason != "" {
		return errors.New(reason)
	}
	return nil
}

func (k controlKeeper) verify(ctx context.Context, report func(finding string)) (archive.Counts, error) {
	response, err := post(ctx, k.path, verifyPath, nil)
	if err != nil {
		return archive.Counts{}, err
	}
	defer response.Body.Close()
	lines := json.NewDecoder(response.Body)
	for {
		var line verifyLine
		if err := lines.Decode(&line); err != nil {
			return archive.Counts{}, fmt.Errorf("read what the server finds: %w", err)
		}
		switch {
		case line.Failed != "":
			return archive.Counts{}, errors.New(line.Failed)
		case line.Counts != nil:
			return *line.Counts, nil
		}
		report(line.Finding)
	}
}

// noSignals is for a process without connections: there is nobody to tell.
type noSignals struct{}

func (noSignals) Signal(context.Context, chat.Signal) error { return nil }
