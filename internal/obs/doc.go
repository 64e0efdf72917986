// Package obs is what an operator sees of the process: its log, its metrics, its traces and whether it is well.
//
// What it owns: the making of the logger ([NewLogger]), of the metrics registry ([NewRegistry]), of the tracer
// ([NewTracer]) and of the admin endpoints ([NewAdmin]), and the type of values that must never be shown ([Secret]). It
// knows nothing of chat: each package registers its own metrics on the registry that it is handed.
//
// Invariants:
//
//   - A Secret shows its value to nobody but the caller of Reveal, whatever prints, encodes or logs it.
//   - A span holds ids, counts and codes, never a text that somebody wrote: there is no way to put an error's text into one.
//   - There is no global logger, registry or tracer; who logs or counts was handed one.
//
// What it does when a dependency dies: a probe that hangs is cut off after [ProbeTimeout] and counts as failed. Spans
// that the collector does not take are counted and lost.
package obs
