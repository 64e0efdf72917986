// Package obs is what an operator sees of the process: its log, its metrics and whether it is well.
//
// What it owns: the making of the logger ([NewLogger]), of the metrics registry ([NewRegistry]) and of the admin
// endpoints ([NewAdmin]), and the type of values that must never be shown ([Secret]). It knows nothing of chat: each
// package registers its own metrics on the registry that it is handed.
//
// Invariants:
//
//   - A Secret shows its value to nobody but the caller of Reveal, whatever prints, encodes or logs it.
//   - There is no global logger or registry; who logs or counts was handed one.
//
// What it does when a dependency dies: a probe that hangs is cut off after [ProbeTimeout] and counts as failed.
package obs
