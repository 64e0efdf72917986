// Command generate writes Grafana's dashboards into the folder that compose mounts:
//
//	go run . ../dashboards
//
// They are tables of pictures here, since their JSON is ten times as long and says less. Its types are Grafana's own
// (grafana-foundation-sdk), so what Grafana does not know does not compile; this is a module of its own so that the product
// does not carry them.
//
// Invariant: what is committed is what is written here; a test compares.
//
// There are no dependencies that could die.
package main
