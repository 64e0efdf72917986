//go:build race

package sim

// defaultSeeds is low here: a run has one goroutine, in which there is nothing for the race detector to find.
const defaultSeeds = 50
