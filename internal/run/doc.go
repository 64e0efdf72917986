// Package run owns the goroutines of the process: it is the only package that may say go.
//
// What it owns: starting ([Group.Go]), waiting ([Group.Wait]), stopping in order ([Stack]), waiting for time to pass
// ([Pause], [Every]) and trying again ([Backoff], [Retry]). It knows nothing of chat.
//
// Invariants:
//
//   - Whoever starts a goroutine waits for it. A Group's Wait returns when every member has returned, never earlier,
//     so nothing runs on after the thing that it works for was closed.
//   - The first failure stops the rest and keeps its name. A member that comes back because it was told to stop has
//     not failed.
//   - A panic is a failure of the member that panicked, with its stack, and not the end of the process.
//
// Time is the time package's own: a test that runs in a testing/synctest bubble decides when it passes.
//
// There are no dependencies that could die.
package run
