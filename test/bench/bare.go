//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/run"
)

// bareFlag makes this program the bare server: it accepts connections, and for each byte that one of them, the first,
// sends, it writes one frame to every connection, one write each.
const bareFlag = "-serve-bare"

// bareServer is this program again, being one.
type bareServer struct{ cmd *exec.Cmd }

func (s bareServer) cpu() (time.Duration, error) { return cpu(s.cmd.Process.Pid) }

// openBare starts the bare server and connects to it. close ends both.
func openBare(ctx context.Context, frameBytes int) (m *meter, s bareServer, closed func(), err error) {
	addr, err := freeAddr(ctx)
	if err != nil {
		return nil, s, nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, s, nil, err
	}
	s = bareServer{exec.CommandContext(ctx, self, bareFlag, addr.String(), strconv.Itoa(listeners), strconv.Itoa(frameBytes))} //nolint:gosec // this program itself
	s.cmd.Stderr = os.Stderr
	ready, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, s, nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, s, nil, fmt.Errorf("start the bare server: %w", err)
	}
	end := func() {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait() // it says that it was killed
	}
	m, err = connectBare(addr, frameBytes, ready)
	if err != nil {
		end()
		return nil, s, nil, err
	}
	return m, s, func() { m.loop.close(); end() }, nil
}

// connectBare makes every connection to the bare server, which says on ready when it listens and when it has all.
func connectBare(addr netip.AddrPort, frameBytes int, ready io.Reader) (m *meter, err error) {
	if _, err := io.ReadFull(ready, make([]byte, 1)); err != nil {
		return nil, fmt.Errorf("wait for the bare server: %w", err)
	}
	l, err := newLoop(addr)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	m = &meter{loop: l}
	conns, connected, came := make([]*conn, listeners), 0, 0
	for i := range conns {
		conns[i] = &conn{
			raw: true, opened: func(*conn) { connected++ },
			bytes:   func(_ *conn, n int) { came += n; m.delivered = came / frameBytes },
			closing: func(*conn) { m.refused++ },
		}
		if err := l.dial(conns[i]); err != nil {
			return nil, err
		}
		if _, err := l.run(joinPatience, func() bool { return connected > i }, nil); err != nil {
			return nil, err
		}
	}
	m.send = func(int) { conns[0].write([]byte{1}) }
	if _, err := io.ReadFull(ready, make([]byte, 1)); err != nil {
		return nil, fmt.Errorf("wait for the bare server: %w", err)
	}
	return m, nil
}

// serveBare is the bare server's whole life.
func serveBare(ctx context.Context, args []string) error {
	if len(args) != 3 {
		return errors.New("an address, a number of connections and a number of bytes are needed")
	}
	addr, err := netip.ParseAddrPort(args[0])
	if err != nil {
		return err
	}
	conns, errConns := strconv.Atoi(args[1])
	size, errSize := strconv.Atoi(args[2])
	if err := errors.Join(errConns, errSize); err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr.String())
	if err != nil {
		return err
	}
	_, _ = os.Stdout.Write([]byte{1})
	sockets := make([]net.Conn, conns)
	for i := range sockets {
		if sockets[i], err = listener.Accept(); err != nil {
			return err
		}
	}
	_, _ = os.Stdout.Write([]byte{1})
	frame := make([]byte, size)
	binary.BigEndian.PutUint16(frame, 0x817e)

	// Half of the sockets each, as the server's goroutines spread over two cores.
	group := run.NewGroup(ctx)
	const writers = 2
	turns := make([]chan struct{}, writers)
	for w := range writers {
		turns[w] = make(chan struct{}, 1<<16)
		group.Go("write", func(context.Context) error {
			for range turns[w] {
				for i := w; i < len(sockets); i += writers {
					if _, err := sockets[i].Write(frame); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	group.Go("be told", func(context.Context) error {
		buffer := make([]byte, 4096)
		for {
			n, err := sockets[0].Read(buffer)
			if err != nil {
				return err
			}
			for range n {
				for _, turn := range turns {
					turn <- struct{}{}
				}
			}
		}
	})
	return group.Wait()
}
