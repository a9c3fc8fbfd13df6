package sink

import (
	"context"
	"io"

	"github.com/lienthong/lienthong/node"
)

// What says what an Event is about.
type What string

// The events.
const (
	Deliver  What = "deliver"  // a Document came in
	Failed   What = "failed"   // an outgoing Transfer was given up
	Recalled What = "recalled" // the sender of a Document took it back: whatever was made of it is to be destroyed
)

// Event is what a document system is told, in its JSON form.
type Event struct {
	ID       string         `json:"id"` // the same whenever the same is told again
	What     What           `json:"what"`
	Transfer *node.Transfer `json:"transfer"`
	Folder   string         `json:"folder,omitempty"` // Command: where the envelope and the files are
}

// about makes the Event of a notice.
func about(t *node.Transfer) Event {
	what := Failed
	if t.Direction == node.In {
		what = Recalled
	}
	return event(what, t)
}

func event(what What, t *node.Transfer) Event {
	return Event{ID: t.ID + "-" + string(what), What: what, Transfer: t.Public()}
}

// Func is a function of the program that holds the node. open gives the
// content of a Document that is delivered; it is nil for the other events.
type Func func(ctx context.Context, e Event, open func(node.Content) (io.ReadCloser, error)) error

// Deliver calls the function.
func (f Func) Deliver(ctx context.Context, t *node.Transfer, open func(node.Content) (io.ReadCloser, error)) error {
	return f(ctx, event(Deliver, t), open)
}

// Notify calls the function.
func (f Func) Notify(ctx context.Context, t *node.Transfer) error { return f(ctx, about(t), nil) }
