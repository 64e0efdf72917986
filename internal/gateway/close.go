package gateway

import (
	"github.com/gobwas/ws"
)

// closing is a reason to end a connection: the close code of the contract and a word for people who debug.
type closing struct {
	code   ws.StatusCode
	reason string
}

// The reasons of the contract, section 3, and those of RFC 6455 that this gateway gives.
var (
	closeBadFrame    = closing{4400, "bad frame"}
	closeAuth        = closing{4401, "the token is missing, bad or expired, or its session has ended"}
	closeOrigin      = closing{4403, "this origin is not allowed"}
	closeAuthTimeout = closing{4408, "no auth frame in time"}
	closeTooMany     = closing{4409, "too many connections"}
	closeSlow        = closing{4410, "slow_consumer"}
	closeTooLarge    = closing{4413, "frame too large"}
	closeRate        = closing{4429, "too many frames"}
	closeDraining    = closing{4503, "draining"}
	closeProtocol    = closing{ws.StatusProtocolError, "not a frame of RFC 6455"}
	closeSilent      = closing{ws.StatusGoingAway, "silent for two heartbeats"}
	closeInternal    = closing{ws.StatusInternalServerError, "something went wrong here; it was logged"}
	closeTryLater    = closing{1013, "something this needs is down; try again"}
	closeAsAsked     = closing{ws.StatusNormalClosure, ""}
)

func (c closing) frame() []byte {
	return ws.MustCompileFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(c.code, c.reason)))
}
