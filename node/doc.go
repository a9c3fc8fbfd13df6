// Package node is the life of a document in this house: it accepts packets
// for sending, keeps them until the axis has taken them, fetches what waits at
// the axis, judges it, hands it over, and remembers every attempt.
package node
