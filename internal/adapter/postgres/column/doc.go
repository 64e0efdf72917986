// Package column says how the product's values stand in PostgreSQL's columns: the destinations of what is read, and the
// values that are written. It knows no table and no statement.
package column
