// Package composetest checks what compose.yaml means: that each port, volume, health check, dependency and variable in it is
// used by the program that it is given to.
//
// compose.yaml is read by Docker's own parser. It is a module of its own so that the product does not carry that parser.
//
// Invariants:
//
//   - What a program of others takes is written down once, in programs.go; what blabber-hive takes it is asked itself.
//   - A service that is in no table, and anything of a service that is in no row, is a problem.
//
// There are no dependencies that could die.
package composetest
