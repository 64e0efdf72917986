// Package services starts PostgreSQL, Redis, Kafka, nginx, Prometheus and Kubernetes for tests: the real programs, as child processes of the test.
//
// What it owns: one temporary folder ([Folder]) with everything that the programs write, the free loopback ports that they
// listen on, and the processes ([Instance]), which can be killed, frozen and started again on the same port and data.
//
// Tests that only need a service ask for a place of their own in a shared one: [Postgres], [Redis] and [Kafka] use what
// DATABASE_URL, REDIS_URL and KAFKA_BROKER_URL name, as make services and make test set them, and else start one
// for the test binary, whose TestMain ends it ([During]). Tests that break a service start one for themselves
// ([NewFolder]). A service that cannot be had fails the test and says what to install; nothing is ever skipped.
//
// Invariants:
//
//   - Readiness is a condition, an answered query, and never a time.
//   - Nothing is left behind: a process dies with its parent, even with one that is killed, and the folder of a parent that
//     died is deleted by the next one that makes a folder.
//   - A port is never one that the system hands out by itself. A client that knocks at the port of a dead service would
//     otherwise be given that very port as its own, connect to itself, and keep the service from coming back.
//   - Whoever stops a service in a test stops all of its processes: PostgreSQL is many.
//
// Only on Linux a process dies with its parent and can be frozen with its children; elsewhere the package refuses to start
// anything, and the three variables must name running services.
package services
