// Package column is how the product's values stand in the columns of the store: ids as 16 bytes, times as milliseconds,
// roles as ranks, mentions and reactions as blobs, what events tell as JSON.
//
// What it reads it checks: a damaged value is an error and never a wrong value, a panic or an endless read.
package column
