// Package accounts keeps people, the devices they are signed in on, and the server's own keys, in the database that
// package engine runs. It is the half of the store that knows no rooms.
//
// Lock order: a person's row before that person's sessions.
package accounts
