package api

import (
	"context"
	"net/http"
	"time"

	"github.com/blabber-hive/blabber-hive/internal/account"
	"github.com/blabber-hive/blabber-hive/internal/wire"
)

const (
	refreshCookie     = "blabber_refresh"
	refreshCookiePath = basePath + "/auth"
)

type grantBody struct {
	User        wire.Me   `json:"user"`
	AccessToken string    `json:"access_token" doc:"Bearer token of every other call"`
	ExpiresAt   wire.Time `json:"expires_at"`
}

// grantOutput brings the refresh token in a cookie that no script can read and no other site can have sent.
type grantOutput struct {
	SetCookie []http.Cookie `header:"Set-Cookie"`
	Body      grantBody
}

func (s *Server) grant(ctx context.Context, grant account.Grant) *grantOutput {
	out := &grantOutput{Body: grantBody{
		User: wire.MeOf(grant.User), AccessToken: grant.AccessToken, ExpiresAt: wire.Time{Time: grant.ExpiresAt},
	}}
	if grant.RefreshToken != "" {
		life := grant.RefreshExpiresAt.Sub(s.Clock())
		out.SetCookie = []http.Cookie{cookieFor(ctx, grant.RefreshToken, int(life/time.Second))}
	}
	return out
}

func cookieFor(ctx context.Context, value string, maxAge int) http.Cookie {
	req := requestOf(ctx)
	cookie := http.Cookie{ //nolint:gosec // Secure follows the connection: over plain HTTP, as on one's own machine, it would not be kept
		Name: refreshCookie, Value: value, Path: refreshCookiePath, MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: req.secure,
	}
	if req.crossSite && req.secure {
		// A page of another site that may call: it would never be sent a strict one again. A partitioned one is kept for pages
		// of that site alone, so that no other's requests carry it; origin.go refuses those besides.
		cookie.SameSite, cookie.Partitioned = http.SameSiteNoneMode, true
	}
	return cookie
}

// noCookie makes a browser forget the refresh token.
func noCookie(ctx context.Context) http.Cookie { return cookieFor(ctx, "", -1) }

// CookieInput is the refresh token, where the browser has one.
type CookieInput struct {
	Refresh string `cookie:"blabber_refresh" doc:"The refresh token, as it was set"`
}

type signUpInput struct {
	CookieInput
	Body struct {
		Username    string `json:"username" minLength:"2" maxLength:"32" doc:"a-z, 0-9, and _ . - after the first"`
		Password    string `json:"password" minLength:"8" maxLength:"256"`
		DisplayName string `json:"display_name,omitempty" maxLength:"64"`
		Email       string `json:"email,omitempty" maxLength:"254"`
	}
}

func (s *Server) signUp(ctx context.Context, in *signUpInput) (*grantOutput, error) {
	grant, err := s.Accounts.SignUp(ctx, account.NewUser{
		Username: in.Body.Username, Password: in.Body.Password, DisplayName: in.Body.DisplayName, Email: in.Body.Email,
	}, requestOf(ctx).device, in.Refresh)
	if err != nil {
		return nil, err
	}
	return s.grant(ctx, grant), nil
}

type logInInput struct {
	CookieInput
	Body struct {
		Username string `json:"username"`
		Password string `json:"password"`
	}
}

func (s *Server) logIn(ctx context.Context, in *logInInput) (*grantOutput, error) {
	grant, err := s.Accounts.LogIn(ctx, in.Body.Username, in.Body.Password, requestOf(ctx).device, in.Refresh)
	if err != nil {
		return nil, err
	}
	return s.grant(ctx, grant), nil
}

type refreshInput struct{ CookieInput }

func (s *Server) refresh(ctx context.Context, in *refreshInput) (*grantOutput, error) {
	grant, spoilt, err := s.Accounts.Refresh(ctx, in.Refresh, requestOf(ctx).device)
	if err != nil {
		if spoilt && in.Refresh != "" {
			cookie := noCookie(ctx)
			return nil, withHeaders{err, http.Header{"Set-Cookie": {cookie.String()}}}
		}
		return nil, err
	}
	return s.grant(ctx, grant), nil
}

type logOutInput struct {
	CookieInput
	Authorization string `header:"Authorization" doc:"The access token, where the cookie is not at hand"`
}

type logOutOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

func (s *Server) logOut(ctx context.Context, in *logOutInput) (*logOutOutput, error) {
	if err := s.Accounts.LogOut(ctx, in.Refresh, bearer(in.Authorization)); err != nil {
		return nil, err
	}
	return &logOutOutput{noCookie(ctx)}, nil
}

type changePasswordInput struct {
	Body struct {
		CurrentPassword string `json:"current_password"`
		NewPassword     string `json:"new_password" minLength:"8" maxLength:"256"`
	}
}

func (s *Server) changePassword(ctx context.Context, who account.Identity, in *changePasswordInput) (*grantOutput, error) {
	grant, err := s.Accounts.ChangePassword(ctx, who, in.Body.CurrentPassword, in.Body.NewPassword)
	if err != nil {
		return nil, err
	}
	return s.grant(ctx, grant), nil
}
