package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/chat"
)

func (c *caller) refresh() answer {
	c.w.t.Helper()
	return c.do("POST", "/auth/refresh", nil)
}

// Promise (PROTOCOL §2): the refresh token comes in a cookie that no script reads and no site sends that may not, and is in no
// body; over TLS it never leaves without.
func TestRefreshCookie(t *testing.T) {
	t.Parallel()
	w := setup(t, func(config *account.Config, options *Options) {
		trustLoopback(config, options)
		options.PublicOrigins = []string{"https://client.example"}
	})
	for name, tc := range map[string]struct {
		proto, site string
		secure      bool
		sameSite    http.SameSite
	}{
		"over http":                           {"http", "", false, http.SameSiteStrictMode},
		"over https":                          {"https", "", true, http.SameSiteStrictMode},
		"from its own page":                   {"https", "same-origin", true, http.SameSiteStrictMode},
		"from another host of the site":       {"https", "same-site", true, http.SameSiteStrictMode},
		"from an allowed page elsewhere":      {"https", "cross-site", true, http.SameSiteNoneMode},
		"from one elsewhere, open to readers": {"http", "cross-site", false, http.SameSiteStrictMode},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := w.nobody().with("X-Forwarded-Proto", tc.proto)
			if tc.site != "" {
				c = c.with("Sec-Fetch-Site", tc.site).with("Origin", "https://client.example")
			}
			c.address = "127.0.0.1:1"
			got := c.must(http.StatusCreated, "POST", "/auth/signup", object{"username": "cookie-" + tc.proto + tc.site, "password": password})
			cookies := (&http.Response{Header: got.header}).Cookies()
			if len(cookies) != 1 {
				t.Fatalf("Set-Cookie = %v, want one", got.header["Set-Cookie"])
			}
			cookie := cookies[0]
			if !cookie.HttpOnly || cookie.SameSite != tc.sameSite || cookie.Secure != tc.secure ||
				cookie.Partitioned != (tc.sameSite == http.SameSiteNoneMode) ||
				cookie.Path != "/api/v1/auth" || cookie.Domain != "" || cookie.MaxAge < 29*24*3600 {
				t.Errorf("Set-Cookie = %v", got.header["Set-Cookie"])
			}
			if strings.Contains(string(got.body), cookie.Value) {
				t.Error("the refresh token is in the body")
			}
			if hsts := got.header.Get("Strict-Transport-Security"); (hsts != "") != tc.secure {
				t.Errorf("Strict-Transport-Security = %q", hsts)
			}
		})
	}
}

// Promise (FIGURES §4 test 9): a refresh token works once. Used again within ten seconds it is a race and harms nobody;
// used later it ends its session everywhere, access tokens included.
func TestRefreshRotation(t *testing.T) {
	t.Parallel()
	w := anywhere(t)

	t.Run("each is spent", func(t *testing.T) {
		t.Parallel()
		c := w.person()
		first := c.cookie
		got := c.refresh()
		if got.status != 200 || c.cookie == first || got.text("access_token") == "" {
			t.Fatalf("refresh = %s with cookie changed: %t", got, c.cookie != first)
		}
		second := c.cookie
		c.cookie = first
		race := c.refresh()
		refused(t, race, chat.Unauthenticated)
		if race.header.Get("Set-Cookie") != "" {
			t.Error("a race took the cookie away that the other tab had just got")
		}
		c.cookie = second
		if got := c.refresh(); got.status != 200 {
			t.Errorf("refresh after a race = %s, want 200", got)
		}
	})

	t.Run("a stolen one kills the family", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		c := w.person()
		stolen := c.cookie
		c.must(200, "POST", "/auth/refresh", nil)
		good := c.cookie
		w.clock.pass(2*time.Minute + time.Second)
		c.must(200, "GET", "/me", nil)
		thief := w.nobody()
		thief.cookie = stolen
		reuse := thief.refresh()
		refused(t, reuse, chat.Unauthenticated)
		if !strings.Contains(reuse.header.Get("Set-Cookie"), "Max-Age=0") {
			t.Errorf("Set-Cookie = %q, want the spoilt token dropped", reuse.header.Get("Set-Cookie"))
		}
		refused(t, c.do("GET", "/me", nil), chat.Unauthenticated)
		c.cookie = good
		refused(t, c.refresh(), chat.Unauthenticated)
		if signals := w.heard(chat.SignalSessionEnded); len(signals) == 0 || signals[0].User != c.id {
			t.Errorf("signals = %+v, want the session's end", signals)
		}
		if !strings.Contains(w.logs.String(), "used again") {
			t.Error("a reuse is not in the log")
		}
	})

	t.Run("whose answer was lost", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		c := w.person()
		before := c.cookie
		c.must(200, "POST", "/auth/refresh", nil)
		lost := c.cookie
		c.cookie = before
		w.clock.pass(1200 * time.Millisecond)
		if got := c.refresh(); got.status != 200 || c.cookie == lost {
			t.Fatalf("refresh = %s with another cookie: %t", got, c.cookie != lost)
		}
		owner := c.cookie
		w.clock.pass(time.Minute)
		thief := w.nobody()
		thief.cookie = before
		if got := thief.refresh(); got.status != 200 {
			t.Fatalf("what only looks like a lost answer = %s, want 200", got)
		}
		w.clock.pass(10 * time.Minute)
		c.cookie = owner
		refused(t, c.refresh(), chat.Unauthenticated)
		refused(t, thief.refresh(), chat.Unauthenticated)
		if signals := w.heard(chat.SignalSessionEnded); len(signals) == 0 || signals[0].User != c.id {
			t.Errorf("signals = %+v, want the session's end when its owner comes back", signals)
		}
	})

	t.Run("two racing refreshes give one winner", func(t *testing.T) {
		t.Parallel()
		c := w.person()
		const racers = 20
		var won sync.Map
		var group sync.WaitGroup
		for i := range racers {
			tab := *c
			group.Go(func() {
				if got := tab.refresh(); got.status == 200 {
					won.Store(i, tab.cookie)
				}
			})
		}
		group.Wait()
		winners := 0
		won.Range(func(_, cookie any) bool {
			winners++
			c.cookie = cookie.(string)
			return true
		})
		if winners != 1 {
			t.Errorf("%d of %d racing refreshes won, want 1", winners, racers)
		}
		if got := c.refresh(); got.status != 200 {
			t.Errorf("the winner's token = %s, want 200", got)
		}
	})

	t.Run("a token from before signing in is not kept", func(t *testing.T) {
		t.Parallel()
		planted, victim := w.person(), w.person()
		fixed := planted.cookie
		victim.cookie = fixed
		victim.signedIn(victim.do("POST", "/auth/login", object{"username": victim.name, "password": password}), 200)
		if victim.cookie == fixed {
			t.Error("signing in kept the cookie that was there")
		}
		planted.cookie = fixed
		refused(t, planted.refresh(), chat.Unauthenticated)
		refused(t, planted.do("GET", "/me", nil), chat.Unauthenticated)
	})

	t.Run("it expires", func(t *testing.T) {
		t.Parallel()
		w := setup(t)
		c := w.person()
		w.clock.pass(31 * 24 * time.Hour)
		refused(t, c.refresh(), chat.Unauthenticated)
	})

	t.Run("what is none", func(t *testing.T) {
		t.Parallel()
		c := w.nobody()
		for _, cookie := range []string{"", "x", strings.Repeat("A", 43), strings.Repeat("A", 4000), "%00"} {
			c.cookie = cookie
			refused(t, c.refresh(), chat.Unauthenticated)
		}
	})
}

// Promise (ASVS 7.4): what ends a session ends its tokens at once: signing out, here or from elsewhere, a new password,
// and a disabled account.
func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		end   func(w *world, here, there *caller)
		stays bool // whether the device that did it stays signed in
	}{
		"log out with the cookie": {func(_ *world, _, there *caller) {
			there.token = ""
			there.must(204, "POST", "/auth/logout", nil)
		}, true},
		"log out with the token": {func(_ *world, _, there *caller) {
			cookie := there.cookie
			there.cookie = ""
			there.must(204, "POST", "/auth/logout", nil)
			there.cookie = cookie
		}, true},
		"sign one device out": {func(_ *world, here, _ *caller) {
			for _, device := range here.must(200, "GET", "/me/sessions", nil).list("sessions") {
				if device := device.(map[string]any); device["current"] == false {
					here.must(204, "DELETE", "/me/sessions/"+device["id"].(string), nil)
				}
			}
		}, true},
		"sign out everywhere else": {func(_ *world, here, _ *caller) { here.must(204, "DELETE", "/me/sessions", nil) }, true},
		"a new password": {func(_ *world, here, _ *caller) {
			got := here.must(200, "POST", "/auth/password", object{"current_password": password, "new_password": "new " + password})
			here.token = got.text("access_token")
		}, true},
		"a reset password": {func(w *world, here, _ *caller) {
			w.operate("reset-password", here.name)
		}, false},
		"a disabled account": {func(w *world, here, _ *caller) {
			w.operate("disable", here.name)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := anywhere(t)
			here := w.person()
			there := w.nobody()
			there.name = here.name
			there.signedIn(there.do("POST", "/auth/login", object{"username": strings.ToUpper(here.name), "password": password}), 200)
			token, cookie := there.token, there.cookie
			here.must(200, "GET", "/me", nil)
			there.must(200, "GET", "/me", nil)

			tc.end(w, here, there)

			there.token, there.cookie = token, cookie
			w.soonRefused(t, chat.Unauthenticated, func() answer { return there.do("GET", "/me", nil) })
			refused(t, there.refresh(), chat.Unauthenticated)
			if tc.stays {
				here.must(200, "GET", "/me", nil)
				here.must(200, "POST", "/auth/refresh", nil)
			} else {
				w.soonRefused(t, chat.Unauthenticated, func() answer { return here.do("GET", "/me", nil) })
			}
			if w.here() && len(w.heard(chat.SignalSessionEnded)) == 0 {
				t.Error("no node was told")
			}
		})
	}
}

// Promise: signing in tells nothing about who has an account, and a disabled one cannot.
func TestLogin(t *testing.T) {
	t.Parallel()
	w := anywhere(t)
	c := w.person()
	wrong := w.nobody().do("POST", "/auth/login", object{"username": c.name, "password": "wrong " + password})
	refused(t, wrong, chat.Unauthenticated)
	for name, body := range map[string]object{
		"unknown name":      {"username": "no-such-person", "password": password},
		"impossible name":   {"username": "no such person", "password": password},
		"empty":             {"username": "", "password": ""},
		"very long":         {"username": c.name, "password": strings.Repeat("x", 60_000)},
		"another's letters": {"username": "рerson1", "password": password},
	} {
		if got := w.nobody().do("POST", "/auth/login", body); got.String() != wrong.String() {
			t.Errorf("%s: %s, want the words for a wrong password: %s", name, got, wrong)
		}
	}
	w.operate("disable", c.name)
	refused(t, w.nobody().do("POST", "/auth/login", object{"username": c.name, "password": password}), chat.Forbidden)
	if got := w.nobody().do("POST", "/auth/login", object{"username": c.name, "password": "wrong " + password}); got.String() != wrong.String() {
		t.Errorf("disabled, with a wrong password: %s, want %s", got, wrong)
	}
	w.operate("enable", c.name)
	w.nobody().must(200, "POST", "/auth/login", object{"username": c.name, "password": password})
}

// Promise: accounts are made as the contract says, while sign-up is open.
func TestSignUp(t *testing.T) {
	t.Parallel()
	w := setup(t)
	got := w.nobody().must(201, "POST", "/auth/signup", object{
		"username": "Ada.Lovelace", "password": password, "display_name": "Ada 👩‍💻", "email": "ada@example.com", "admin": true,
	})
	if got.text("user", "username") != "ada.lovelace" || got.text("user", "display_name") != "Ada 👩‍💻" ||
		got.text("user", "email") != "ada@example.com" || got.at("user", "admin") != false || got.at("user", "avatar_url") != nil {
		t.Errorf("signed up as %s", got)
	}
	refused(t, w.nobody().do("POST", "/auth/signup", object{"username": "ADA.lovelace", "password": password}), chat.UsernameTaken)
	for name, tc := range map[string]struct {
		body  object
		field string
	}{
		"no name":              {object{"password": password}, "username"},
		"no password":          {object{"username": "bob"}, "password"},
		"short name":           {object{"username": "b", "password": password}, "username"},
		"long name":            {object{"username": strings.Repeat("b", 33), "password": password}, "username"},
		"dotted name":          {object{"username": ".bob", "password": password}, "username"},
		"space in a name":      {object{"username": "bob b", "password": password}, "username"},
		"foreign letters":      {object{"username": "боб", "password": password}, "username"},
		"short password":       {object{"username": "bob", "password": "1234567"}, "password"},
		"long password":        {object{"username": "bob", "password": strings.Repeat("x", 257)}, "password"},
		"long display name":    {object{"username": "bob", "password": password, "display_name": strings.Repeat("é", 65)}, "display_name"},
		"control characters":   {object{"username": "bob", "password": password, "display_name": "a\x07b"}, "display_name"},
		"blank display name":   {object{"username": "bob", "password": password, "display_name": "  "}, "display_name"},
		"no e-mail address":    {object{"username": "bob", "password": password, "email": "bob"}, "email"},
		"e-mail with a header": {object{"username": "bob", "password": password, "email": "bob@example.com\r\nBcc: x"}, "email"},
		"name is a number":     {object{"username": 5, "password": password}, "username"},
		"name is null":         {object{"username": nil, "password": password}, "username"},
	} {
		got := w.nobody().do("POST", "/auth/signup", tc.body)
		refused(t, got, chat.Invalid)
		if got.text("errors", "0", "field") != tc.field || got.text("errors", "0", "message") == "" {
			t.Errorf("%s: %s, want the field %s", name, got, tc.field)
		}
		if strings.Contains(string(got.body), password) {
			t.Errorf("%s: the answer repeats the password", name)
		}
	}
	closed := setup(t, func(config *account.Config, _ *Options) { config.SignupOpen = false })
	refused(t, closed.nobody().do("POST", "/auth/signup", object{"username": "bob", "password": password}), chat.Forbidden)
	if config := closed.nobody().must(200, "GET", "/config", nil); config.at("auth", "signup") != false {
		t.Errorf("config = %s, want signup false", config)
	}
}

// Promise: only what this server signed with its one method, for itself, for a session that lives, is a token.
func TestForgedTokens(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := w.person()
	good := c.token
	parts := strings.Split(good, ".")
	var claims map[string]any
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(raw, &claims) != nil {
		t.Fatalf("claims of %s: %v", good, err)
	}
	for _, claim := range []string{"sub", "sid", "iat", "exp", "iss", "aud"} {
		if claims[claim] == nil {
			t.Errorf("the token lacks %s: %v", claim, claims)
		}
	}
	if life := claims["exp"].(float64) - claims["iat"].(float64); life != 15*60 {
		t.Errorf("the token lives %v s, want 15 min", life)
	}
	key, err := w.store.Key(t.Context(), "access-token-hs256", nil)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(header string, key []byte, change func(claims map[string]any)) string {
		changed := maps.Clone(claims)
		change(changed)
		payload, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		b64 := base64.RawURLEncoding
		text := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString(payload)
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		return text + "." + b64.EncodeToString(mac.Sum(nil))
	}
	const hs256 = `{"alg":"HS256","typ":"JWT"}`
	same := func(map[string]any) {}
	other := w.person()
	for name, token := range map[string]string{
		"signature cut":          parts[0] + "." + parts[1] + ".",
		"no signature, alg none": strings.TrimSuffix(sign(`{"alg":"none"}`, nil, same), "") + "",
		"alg none, unsigned":     base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + ".",
		"alg HS512":              sign(`{"alg":"HS512","typ":"JWT"}`, key, same),
		"alg RS256":              sign(`{"alg":"RS256","typ":"JWT"}`, key, same),
		"another key":            sign(hs256, []byte("another key of thirty-two bytes!"), same),
		"empty key":              sign(hs256, nil, same),
		"another issuer":         sign(hs256, key, func(c map[string]any) { c["iss"] = "elsewhere" }),
		"another audience":       sign(hs256, key, func(c map[string]any) { c["aud"] = "elsewhere" }),
		"no audience":            sign(hs256, key, func(c map[string]any) { delete(c, "aud") }),
		"no expiry":              sign(hs256, key, func(c map[string]any) { delete(c, "exp") }),
		"expired":                sign(hs256, key, func(c map[string]any) { c["exp"] = 1 }),
		"no session":             sign(hs256, key, func(c map[string]any) { delete(c, "sid") }),
		"unknown session":        sign(hs256, key, func(c map[string]any) { c["sid"] = chat.SessionID(w.newID()).String() }),
		"another's session":      sign(hs256, key, func(c map[string]any) { c["sub"] = other.id.String() }),
		"subject is no id":       sign(hs256, key, func(c map[string]any) { c["sub"] = "root" }),
		"not a token":            "x.y.z",
		"huge":                   strings.Repeat("A", 1<<20),
		"NUL":                    good + "\x00",
	} {
		c.token = token
		if got := c.do("GET", "/me", nil); got.code() != chat.Unauthenticated {
			t.Errorf("%s: %s, want unauthenticated", name, got)
		} else if isProblem(t, got); got.header.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s: no WWW-Authenticate", name)
		}
	}
	c.token = sign(hs256, key, same)
	c.must(200, "GET", "/me", nil) // the forger of this test can sign, so the refusals above are about what differs
	c.token = ""
	for _, header := range []string{"", "Bearer", "Bearer ", "Basic " + good, good, "bearer\t" + good} {
		refused(t, c.with("Authorization", header).do("GET", "/me", nil), chat.Unauthenticated)
	}
	if got := c.with("Authorization", "bearer "+good).do("GET", "/me", nil); got.status != 200 {
		t.Errorf("the scheme in small letters: %s, want 200", got)
	}
	w.clock.pass(15*time.Minute + time.Second)
	refused(t, c.with("Authorization", "Bearer "+good).do("GET", "/me", nil), chat.Unauthenticated)
}

// Promise (FIGURES §4 test 15): attempts are counted by address and by name; what a client claims in X-Forwarded-For
// resets nothing, and what a trusted proxy says counts.
func TestRateLimits(t *testing.T) {
	t.Parallel()
	limits := func(config *account.Config, options *Options) {
		config.LoginByAddress = account.Rate{PerSecond: 0.01, Burst: 5}
		config.LoginByName = account.Rate{PerSecond: 0.01, Burst: 3}
		config.SignupByAddress = account.Rate{PerSecond: 0.01, Burst: 2}
		config.RefreshByAddress = account.Rate{PerSecond: 0.01, Burst: 2}
		options.Writes = account.Rate{PerSecond: 0.01, Burst: 3}
		options.Reads = account.Rate{PerSecond: 0.01, Burst: 4}
	}
	many := func(_ *account.Config, options *Options) { options.Reads = account.Rate{} }
	login := func(c *caller, name string) answer {
		return c.do("POST", "/auth/login", object{"username": name, "password": "wrong " + password})
	}
	exhaust := func(t *testing.T, allowed int, attempt func(i int) answer) {
		t.Helper()
		for i := range allowed {
			if got := attempt(i); got.code() == chat.RateLimited {
				t.Fatalf("attempt %d = %s, want %d to be allowed", i+1, got, allowed)
			}
		}
		refused(t, attempt(allowed), chat.RateLimited)
	}
	t.Run("by address, whatever it claims", func(t *testing.T) {
		t.Parallel()
		w := setup(t, limits, many)
		c := w.nobody()
		exhaust(t, 5, func(i int) answer {
			return login(c.with("X-Forwarded-For", fmt.Sprintf("198.51.100.%d", i)), fmt.Sprintf("name%d", i))
		})
		c.address = "192.0.2.77:5"
		if got := login(c, "other"); got.code() != chat.Unauthenticated {
			t.Errorf("another address: %s, want to be heard", got)
		}
	})
	t.Run("by network of an IPv6 address", func(t *testing.T) {
		t.Parallel()
		w := setup(t, limits, many)
		exhaust(t, 5, func(i int) answer {
			c := w.nobody()
			c.address = fmt.Sprintf("[2001:db8:1:2::%x]:5", i+1)
			return login(c, fmt.Sprintf("name%d", i))
		})
	})
	t.Run("by name, from everywhere", func(t *testing.T) {
		t.Parallel()
		w := setup(t, limits)
		exhaust(t, 3, func(i int) answer {
			c := w.nobody()
			c.address = fmt.Sprintf("203.0.113.%d:5", i+1)
			return login(c, []string{"victim", "VICTIM", "Victim", "vicTim"}[i])
		})
		w.clock.pass(time.Hour)
		if got := login(w.nobody(), "victim"); got.code() != chat.Unauthenticated {
			t.Errorf("an hour later: %s, want to be heard", got)
		}
	})
	t.Run("a trusted proxy speaks for its clients", func(t *testing.T) {
		t.Parallel()
		w := setup(t, limits, many, trustLoopback)
		proxy := w.nobody()
		proxy.address = "127.0.0.1:9"
		exhaust(t, 5, func(i int) answer {
			return login(proxy.with("X-Forwarded-For", fmt.Sprintf("10.9.8.%d, 198.51.100.7", i)), fmt.Sprintf("name%d", i))
		})
		if got := login(proxy.with("X-Forwarded-For", "198.51.100.8"), "name"); got.code() != chat.Unauthenticated {
			t.Errorf("the proxy's next client: %s, want to be heard", got)
		}
	})
	t.Run("signing up", func(t *testing.T) {
		t.Parallel()
		w := setup(t, limits)
		exhaust(t, 2, func(i int) answer {
			return w.nobody().do("POST", "/auth/signup", object{"username": fmt.Sprintf("many%d", i), "password": password})
		})
	})
	t.Run("refreshing", func(t *testing.T) {
		t.Parallel()
		w := setup(t, limits)
		exhaust(t, 2, func(int) answer { return w.nobody().refresh() })
	})
	t.Run("asking without a token", func(t *testing.T) {
		t.Parallel()
		w := setup(t, limits)
		exhaust(t, 4, func(int) answer { return w.nobody().do("GET", "/invites/"+strings.Repeat("A", 22), nil) })
		refused(t, w.nobody().do("GET", "/config", nil), chat.RateLimited)
	})
	t.Run("asking and changing", func(t *testing.T) {
		t.Parallel()
		w := setup(t, limits)
		c := w.person()
		exhaust(t, 4, func(int) answer { return c.do("GET", "/me", nil) })
		exhaust(t, 3, func(int) answer { return c.do("PATCH", "/me", object{"status": "busy"}) })
	})
}
