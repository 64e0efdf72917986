// Package app puts the parts together: it reads flags and environment into one [Config], checks all of it in one table,
// opens the adapters, hands them to the parts that need them, and stops everything in order. It is the only package
// that names an adapter, and the commands of cmd/blabber-hive are here, so that tests run them in process.
//
// Invariants:
//
//   - What is configured wrongly is refused before anything is opened, all of it at once, with sentences that say what to
//     change.
//   - A server that Start returned serves; one that it did not return has left nothing open.
//   - Parts stop in the opposite order of their dependencies: first nobody is sent here any more, then connections are
//     asked to come back elsewhere and HTTP requests are answered, then what was appended is numbered, stored and acked,
//     and only then the store is closed.
//   - The first part that fails by itself stops all the others, and its error is what the process ends with.
//
// What it does when a dependency dies: nothing of its own; each part says so in its doc.go. While the store cannot be
// read, /readyz fails.
package app
