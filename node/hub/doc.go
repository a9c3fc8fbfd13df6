// Package hub makes a node a hub: a node that listens. Agencies that are
// hosted here hand their Documents in and collect what waits for them, over
// the same wires on which the node itself talks to its axis.
//
//	h, err := hub.New(n, hub.Options{})
//	http.Handle("/", h.Handler())
//
// A Document goes, receiver by receiver, to the mailbox of an agency that is
// hosted here, to the upstream axis of the node if there is one, or is refused
// with the names of the receivers that nobody knows. Its content is stored
// once. Statuses go the other way by (Document, receiver).
//
// # What is stored
//
//	Transfer in    the Document as it was handed in: number, content, identity
//	Transfer box   its place in the mailbox of one hosted receiver
//	Transfer out   its way to the upstream axis, for all receivers there
//	Transfer box   a Status that waits for a hosted agency (kind status)
//	value          "agency ID": an agency and the digests of its tokens
//
// A Document is taken in one commit: all of these or none. A file of another
// service than edXML goes the same ways, with a Transfer box for each receiver,
// as nothing in it says whom it is for.
//
// # Who may do what
//
// A credential stands for one hosted agency and carries the set of organs it
// may send and collect for ([Agency.Speaks]); From must be one of them. Tokens
// are stored as digests, the secret of a VXP system (an HMAC key, which is
// needed in clear) is encrypted with the key of the hub.
//
// # Loops
//
// A Document that was in the mailbox of a receiver is not put there again,
// whichever way it comes, and a hub that finds its own name in a request
// refuses it: it is its own upstream.
package hub
