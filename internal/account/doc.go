// Package account is who people are and which devices they are signed in on.
//
// What it owns: sign-up, sign-in, access tokens, refresh tokens and their rotation, sessions, passwords, profiles, and
// the answer to "whose token is this, now" ([Service.Authenticate]) that HTTP and WebSocket both ask.
//
// Invariants:
//
//   - A password is kept as an argon2id hash and a refresh token as its SHA-256; neither can be had back.
//   - A token is worth no more than its session: a signed token whose session has ended, or whose account is disabled,
//     is refused at once on this node and within [LiveFor] on every other.
//   - A refresh token works once. Used again it is a race of two tabs, which is only refused, or an answer that was lost,
//     for which there is another, or a theft, and the session ends everywhere ([chat.RefreshGrace]).
//   - Where another service signs people in ([Provider]), an account is that service's and that subject's: no name and no
//     e-mail address leads to it. What people change about themselves here stays.
//   - Whether a username exists cannot be told from the time that a wrong password takes.
//   - No number of sign-ins at once takes more memory than [Config.HashesAtOnce] hashes.
//
// What it does when a dependency dies: without the store, whoever was seen here before goes on until the token runs
// out, since nobody can be signed out either; everything else answers unavailable. Signals may be lost: other nodes then
// notice after LiveFor. A limiter that cannot answer is its adapter's decision.
package account
