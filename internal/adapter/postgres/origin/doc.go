// Package origin keeps what a database was made of: archives, a log, a backup, and with which log it goes on. It marks a database
// that is not whole yet, and knows nothing of what is in it.
package origin
