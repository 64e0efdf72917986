package gateway

import (
	"github.com/gobwas/ws"

	"github.com/blabber-hive/blabber-hive/internal/gateway/socket"
)

// The reasons of the contract, section 3, and those of RFC 6455 that this gateway gives.
var (
	closeBadFrame    = socket.Closing{Code: 4400, Reason: "bad frame"}
	closeAuth        = socket.Closing{Code: 4401, Reason: "the token is missing, bad or expired, or its session has ended"}
	closeOrigin      = socket.Closing{Code: 4403, Reason: "this origin is not allowed"}
	closeAuthTimeout = socket.Closing{Code: 4408, Reason: "no auth frame in time"}
	closeTooMany     = socket.Closing{Code: 4409, Reason: "too many connections"}
	closeSlow        = socket.Closing{Code: 4410, Reason: "slow_consumer"}
	closeTooLarge    = socket.Closing{Code: 4413, Reason: "frame too large"}
	closeRate        = socket.Closing{Code: 4429, Reason: "too many frames"}
	closeDraining    = socket.Closing{Code: 4503, Reason: "draining"}
	closeProtocol    = socket.Closing{Code: ws.StatusProtocolError, Reason: "not a frame of RFC 6455"}
	closeSilent      = socket.Closing{Code: ws.StatusGoingAway, Reason: "silent for two heartbeats"}
	closeInternal    = socket.Closing{Code: ws.StatusInternalServerError, Reason: "something went wrong here; it was logged"}
	closeTryLater    = socket.Closing{Code: 1013, Reason: "something this needs is down; try again"}
	closeAsAsked     = socket.Closing{Code: ws.StatusNormalClosure, Reason: ""}
)
