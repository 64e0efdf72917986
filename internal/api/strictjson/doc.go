// Package strictjson is JSON on the way in and out: it tells whether a request's body is one that everybody would read
// alike, and writes an answer whole or not at all.
//
// encoding/json takes in silence what must not pass in silence: bytes that are not UTF-8 and halves of surrogate pairs,
// both of which it replaces, and names that come twice, of which it takes the last where others take the first. [Check]
// refuses these, and what is nested, named or long beyond any use, in one walk that builds nothing.
//
// There are no dependencies that could die.
package strictjson
