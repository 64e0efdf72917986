package peer

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

// Promise: what is no origin is no setting.
func TestOriginSettings(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "chat.example", "ftp://chat.example", "https://", "https://chat.example/app", "https://u@chat.example", "*", "null", "https://chat.example?x"} {
		if _, err := NewOrigins([]string{text}); err == nil {
			t.Errorf("NewOrigins(%q) is fine, want an error", text)
		}
	}
}

// Promise: a client's address is what the last trusted hop saw, and nothing that anybody else says.
func TestClientAddress(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, tc := range map[string]struct {
		remote    string
		forwarded []string
		want      string
	}{
		"direct":                    {"198.51.100.1:5", nil, "198.51.100.1"},
		"direct, claiming":          {"198.51.100.1:5", []string{"10.0.0.1"}, "198.51.100.1"},
		"by a proxy":                {"10.0.0.1:5", []string{"198.51.100.2"}, "198.51.100.2"},
		"by a proxy, claiming":      {"10.0.0.1:5", []string{"127.0.0.1, 198.51.100.2"}, "198.51.100.2"},
		"by two proxies":            {"10.0.0.1:5", []string{"192.0.2.1, 198.51.100.2, 10.0.0.2"}, "198.51.100.2"},
		"in two headers":            {"10.0.0.1:5", []string{"192.0.2.1", "198.51.100.2, 10.0.0.2"}, "198.51.100.2"},
		"by a proxy that says junk": {"10.0.0.1:5", []string{"198.51.100.2, junk"}, "10.0.0.1"},
		"from inside":               {"10.0.0.1:5", []string{"10.0.0.9"}, "10.0.0.9"},
		"by a proxy, silent":        {"10.0.0.1:5", nil, "10.0.0.1"},
		"IPv4 in IPv6":              {"[::ffff:10.0.0.1]:5", []string{"::ffff:198.51.100.2"}, "198.51.100.2"},
		"IPv6":                      {"[fd00::1]:5", []string{"2001:db8::7"}, "2001:db8::7"},
		"IPv6 with a zone":          {"[fe80::1%eth0]:5", []string{"1.2.3.4"}, "fe80::1"},
		"no address":                {"@", []string{"1.2.3.4"}, "invalid IP"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxies := Proxies(trusted)
			r := httptest.NewRequestWithContext(t.Context(), "GET", "/", http.NoBody)
			r.RemoteAddr = tc.remote
			if tc.forwarded != nil {
				r.Header["X-Forwarded-For"] = tc.forwarded
			}
			if got, _ := proxies.Client(r); got.String() != tc.want {
				t.Errorf("Client = %s, want %s", got, tc.want)
			}
		})
	}
}

// Promise: addresses are counted one by one, and those of IPv6 by network, of which everybody has one.
func TestKey(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"198.51.100.1": "198.51.100.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "2001:db8:1:2::1": "2001:db8:1:2::/64", "2001:db8:1:3::1": "2001:db8:1:3::/64",
	} {
		if got := Key(netip.MustParseAddr(address)); got != want {
			t.Errorf("Key(%s) = %s, want %s", address, got, want)
		}
	}
}
