// Package setting says what is wrong with what an operator has given, in words that say what to give instead; empty where
// nothing is.
package setting

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/obs"
)

// Address wants a host and a port to listen on.
func Address(addr string) string {
	const want = ": give a host and a port, like localhost:8080, or :8080 for every address of this machine"
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Sprintf("is %q%s", addr, want)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Sprintf("is %q, whose port is not one%s", addr, want)
	}
	return ""
}

// Origin wants the address of a site, or nothing.
func Origin(text string) string {
	if text == "" {
		return ""
	}
	parsed, err := url.Parse(text)
	if err != nil || (parsed.Scheme != "http" && parsed.Scheme != "https") || parsed.Host == "" || parsed.User != nil ||
		strings.Trim(parsed.Path, "/") != "" || parsed.RawQuery != "" || parsed.Fragment != "" {
		return fmt.Sprintf("is %q: give a scheme, a host and perhaps a port, and no path, like https://chat.example.com", text)
	}
	return ""
}

// Network wants what ParseNetwork reads.
func Network(text string) string {
	if _, err := ParseNetwork(text); err != nil {
		return fmt.Sprintf("is %q: give addresses or networks, like 10.0.0.7 or 10.0.0.0/8", text)
	}
	return ""
}

// ParseNetwork reads an address, or a network in CIDR notation, as a network.
func ParseNetwork(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(address.Unmap(), address.Unmap().BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("read a network: %w", err)
	}
	return prefix.Masked(), nil
}

// First is what is wrong with the first entry of a list that is.
func First(list []string, wrong func(string) string) string {
	for _, text := range list {
		if text == "" {
			return "has an empty entry: take the extra comma out"
		}
		if what := wrong(text); what != "" {
			return what
		}
	}
	return ""
}

// Word wants one of some words.
func Word(given string, allowed ...string) string {
	if slices.Contains(allowed, given) {
		return ""
	}
	last := len(allowed) - 1
	return fmt.Sprintf("is %q: give %s or %s", given, strings.Join(allowed[:last], ", "), allowed[last])
}

// Duration wants a time within bounds.
func Duration(given, least, most time.Duration) string {
	if given < least || given > most {
		return fmt.Sprintf("is %v: give a time from %v to %v", given, least, most)
	}
	return ""
}

// URL wants an address of one of the schemes, or nothing. It never says what was given, which may hold a password.
func URL(given obs.Secret, example string, schemes ...string) string {
	if given.IsZero() {
		return ""
	}
	parsed, err := url.Parse(given.Reveal())
	if err != nil || !slices.Contains(schemes, parsed.Scheme) {
		return "is not an address like " + example // what it is may hold a password
	}
	return ""
}

// Broker wants a host and a port to connect to.
func Broker(addr string) string {
	if _, port, err := net.SplitHostPort(addr); err != nil || port == "" {
		return fmt.Sprintf("is %q: give hosts and ports, like kafka-1:9092,kafka-2:9092", addr)
	}
	return ""
}

// Count wants a number within bounds, or 0.
func Count(given, most int) string {
	if given < 0 || given > most {
		return fmt.Sprintf("is %d: give a number from 1 to %d, or 0 for the default", given, most)
	}
	return ""
}
