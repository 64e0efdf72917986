// Package supabase believes the access tokens of a Supabase project's sign-in service.
//
// What it owns: the service's public keys, and the verdict on one token. Who has an account here, and under which name, is
// internal/account's to say.
//
// Invariants:
//
//   - A key is good for one algorithm, which the key says and never the token. HS256 is refused unless the project's shared
//     secret was configured, and that secret is good for nothing else.
//   - Nothing that a token says becomes an address, a path or a file: keys come from the one address of the configured
//     project, redirects are not followed, and the answer is bounded in size and time.
//   - However many tokens name keys that nobody knows, the service is asked at most once in [AskEvery].
//   - What the service does not list any more is not believed any more, once the list was read again.
//
// What it does when the service cannot be reached: keys that it has keep working and are asked for again every
// [RetryEvery]; a token of a key that it does not have is answered with unavailable, for that it is bad nobody knows.
package supabase
