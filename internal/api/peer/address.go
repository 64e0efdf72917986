package peer

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the networks of the proxies that are trusted to say for whom they ask.
type Proxies []netip.Prefix

// Client tells who asks and whether over TLS. A proxy that is trusted speaks for its client; what anybody else says in
// X-Forwarded-For and X-Forwarded-Proto is not even read.
func (p Proxies) Client(r *http.Request) (address netip.Addr, secure bool) {
	secure = r.TLS != nil
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		address = plain(peer.Addr())
	}
	if !p.trusts(address) {
		return address, secure
	}
	if proto := r.Header.Get("X-Forwarded-Proto"); proto != "" {
		secure = strings.EqualFold(proto, "https")
	}
	// The last entry was written by the proxy that we trust, the one before it by whom that proxy saw, and so on: the
	// first from the right that is no proxy of ours is the client, and all to its left is what the client claims.
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, text := range slices.Backward(hops) {
		hop, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil {
			break
		}
		address = plain(hop)
		if !p.trusts(address) {
			break
		}
	}
	return address, secure
}

func (p Proxies) trusts(address netip.Addr) bool {
	for _, proxy := range p {
		if proxy.Contains(address) {
			return true
		}
	}
	return false
}

func plain(address netip.Addr) netip.Addr { return address.Unmap().WithZone("") }

// Key is what attempts are counted by: an address, or the network of an IPv6 one, since whoever has one of
// those has 2^64.
func Key(address netip.Addr) string {
	if address.Is6() {
		if network, err := address.Prefix(64); err == nil {
			return network.String()
		}
	}
	return address.String()
}
