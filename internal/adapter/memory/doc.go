// Package memory is what a chat on one machine has in place of Kafka and Redis: a log that hands records to the
// sequencer and acknowledges them when the store has them, a bus between the parts of one process, rate limits and
// presence. All of it is gone with the process, and nothing durable rests on it.
package memory
