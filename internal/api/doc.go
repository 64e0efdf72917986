// Package api is the HTTP edge: /api/v1, its description at /openapi.json, and the files of the web client.
//
// What it owns: the list of routes (routes.go), what a request must look like before anybody acts on it, who it speaks
// for, how refusals are written, and which origins, proxies and rates are accepted. It decides nothing about rooms or
// accounts: it asks their use cases.
//
// A request passes, in this order: observe (request id, time, panics), harden (headers), checkOrigin, checkQuery; then,
// for a route, admit (token, rate, ids in the path, content type, size and form of the body), huma (fields), and the
// handler, one file for each noun.
//
// Invariants:
//
//   - Every refusal is problem+json with a code of the contract. What is not a refusal is `internal`, logged here once,
//     and shown to nobody.
//   - A body is read to a bound, and is one JSON object in valid UTF-8 without repeated names, or nothing is done.
//   - A private room is answered for like a missing one, to the byte and along the same path.
//   - No query, token or body is logged; routes are, not paths, since a path may hold an invite's code.
//   - Nobody but a configured proxy says for whom it asks.
//
// What it does when a dependency dies: unavailable with Retry-After, as the use cases say. Without the presence store
// everybody is shown as offline.
package api
