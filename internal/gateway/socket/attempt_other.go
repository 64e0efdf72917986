//go:build !unix

package socket

import "syscall"

// attempt would write to a socket as much as it takes at once; here every connection is written to by waiting.
type attempt struct{}

func newAttempt() *attempt { return nil }

func (*attempt) write(syscall.RawConn, []byte) (int, error) { return 0, nil }

func (*Socket) findRaw() {}

func (*Socket) awaitRaw() (*inbound, error) { return nil, nil }
