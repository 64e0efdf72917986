// Command bench measures the built server on this machine, over loopback, beside what the machine can do without it: the
// same group commit with no server around it, one bare write for each delivery. Figures of one run are compared with each
// other, so that a slow or busy machine changes the numbers and hardly the ratios. docs/benchmarks.md says what each
// figure means.
//
// The load generator shares the machine with the server, so it does as little as it can: one thread, epoll, frames that
// were encoded beforehand, and of what arrives it reads only headers and the first bytes. It runs on Linux.
package main
