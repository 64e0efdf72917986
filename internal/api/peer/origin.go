package peer

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Origins is the list of sites whose pages may call. An empty one stands for the host that was asked.
type Origins []string

// NewOrigins reads origins, and refuses in a sentence what is none.
func NewOrigins(configured []string) (Origins, error) {
	list := make(Origins, 0, len(configured))
	for _, text := range configured {
		parsed, err := url.Parse(text)
		if err != nil || (parsed.Scheme != "http" && parsed.Scheme != "https") || parsed.Host == "" ||
			strings.Trim(parsed.Path, "/") != "" || parsed.RawQuery != "" || parsed.Fragment != "" || parsed.User != nil {
			return nil, fmt.Errorf("%q is not an origin like https://chat.example.com", text)
		}
		list = append(list, canonical(parsed))
	}
	return list, nil
}

// canonical writes an origin as browsers do: lower case, and without the port that its scheme has anyway.
func canonical(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if port := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]; port != "" {
		host = strings.TrimSuffix(host, port)
	}
	return u.Scheme + "://" + host
}

// Allow reports whether a page of the request's origin may call. A request without an origin comes from no page.
func (o Origins) Allow(r *http.Request) bool {
	given, present := r.Header["Origin"]
	if !present {
		return true
	}
	return len(given) == 1 && o.allow(given[0], r.Host)
}

func (o Origins) allow(origin, host string) bool {
	if len(o) > 0 {
		return slices.Contains(o, origin)
	}
	parsed, err := url.Parse(origin)
	if err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https") {
		return false
	}
	asked := url.URL{Scheme: parsed.Scheme, Host: host} // a proxy may have taken TLS away: the scheme cannot be compared
	return origin == canonical(parsed) && canonical(parsed) == canonical(&asked)
}
