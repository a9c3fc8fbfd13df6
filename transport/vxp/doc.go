// Package vxp speaks the HTTP adapter of the national document axis, as the
// axis's own Java SDK does: one POST per call, its parameters in headers that
// an HMAC covers, answers in JSON, and a packet as the single file it is.
//
// A [Client] calls an axis for one systemid, which may stand for many organs:
//
//	c := &vxp.Client{URL: "https://axis.example.vn/vxp", SystemID: "000.00.00.H41", Secret: secret}
//	receipt, err := c.Send(ctx, &transport.Packet{Envelope: file})
//
// The axis gives the sender one number ([transport.Receipt]) and every
// receiver another ([Delivery]). A delivery waits, and is listed again, until
// the receiver says what became of it:
//
//	pending, err := c.Pending(ctx)
//	in, err := c.Fetch(ctx, pending[0].ID)
//	…
//	err = c.Acknowledge(ctx, pending[0].ID)
//
// Every error of a Client is a [*transport.Fault]; its Temporary method is the
// one question a caller has to ask. [NewHandler] is the other end, over a
// [Backend] that keeps the packets; the vendor's SDK 2.0.0 and 2.0.1 work
// against it unmodified.
//
// # What is signed
//
// The parameters of a call are headers named XroadVnpt-K. XroadVnpt-sign-header
// holds them all once more as the text of a JSON object, and
// XroadVnpt-hash-header is the HMAC-SHA256 of that text, keyed by the secret
// as it is written. [Sign] computes it. Neither the path nor the body is
// covered, but for the file of sendEdoc, whose SHA-256 is a parameter. The
// signature does not age: the SDK states the time once and reuses it for the
// life of an object. Whoever sees one call can repeat it, so the wire needs
// TLS.
//
// # Streams
//
// A packet passes both ends as a stream, in base64 where the wire wants that.
// What is held in memory is bounded by [Limits] and [HandlerLimits].
//
// The wire is described by what the SDK does (executed and captured); QUIRK
// comments name what of it looks odd and is kept on purpose.
package vxp
