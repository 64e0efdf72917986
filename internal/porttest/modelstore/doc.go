// Package modelstore is the contract of the store as the shortest program that keeps it: what a database does with tables
// and transactions, done with maps. Tests and the simulation put it where a database would be, and learn from it what
// was really stored.
//
// It never fails by itself; whoever wants it to fail wraps it. It is not safe for concurrent use.
package modelstore
