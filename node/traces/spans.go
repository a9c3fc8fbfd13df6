package traces

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"time"

	"github.com/google/uuid"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/lienthong/lienthong/node"
)

// request puts the traces of Transfers together, as those of one node.
func request(organ, version string, transfers []*node.Transfer) *tracepb.TracesData {
	scope := &tracepb.ScopeSpans{Scope: &commonpb.InstrumentationScope{Name: "github.com/lienthong/lienthong/node/traces", Version: version}}
	for _, t := range transfers {
		scope.Spans = append(scope.Spans, spans(t)...)
	}
	return &tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource:   &resourcepb.Resource{Attributes: attributes("service.name", "lienthong", "service.version", version, "lienthong.organ", organ)},
		ScopeSpans: []*tracepb.ScopeSpans{scope},
	}}}
}

// spans returns the trace of a Transfer that has come to its end: the whole
// walk first, then the attempts that its record remembers. It is always the same.
func spans(t *node.Transfer) []*tracepb.Span {
	id, err := uuid.Parse(t.ID)
	if err != nil {
		id = uuid.NewSHA1(uuid.Nil, []byte(t.ID))
	}
	walk := &tracepb.Span{
		TraceId: id[:], SpanId: spanID(id, "walk", t.Created), Name: string(t.Kind) + " " + string(t.Direction),
		Kind: tracepb.Span_SPAN_KIND_INTERNAL, StartTimeUnixNano: nanoseconds(t.Created), EndTimeUnixNano: nanoseconds(t.Finished),
		Attributes: attributes("lienthong.transfer", t.ID, "lienthong.state", string(t.State), "lienthong.document_id", t.DocumentID,
			"lienthong.from", t.From, "lienthong.to", receivers(t), "lienthong.axis_id", t.AxisID, "lienthong.same_as", t.SameAs, "lienthong.cause", string(t.Cause)),
	}
	walk.Attributes = append(walk.Attributes, number("lienthong.receivers", int64(len(t.Receivers))), number("lienthong.bytes", size(t)))
	if t.State == node.Failed || t.State == node.Rejected {
		walk.Status = failure(cmp.Or(t.Refusal, t.LastError, string(t.State)))
	}
	for _, a := range t.Acts {
		walk.Events = append(walk.Events, &tracepb.Span_Event{TimeUnixNano: nanoseconds(a.At), Name: a.Action})
	}
	all := []*tracepb.Span{walk}
	for _, a := range t.Attempts {
		all = append(all, attempt(walk, id, a))
	}
	return all
}

// attempt returns the span of one try at one step.
func attempt(walk *tracepb.Span, id uuid.UUID, a node.Attempt) *tracepb.Span {
	s := &tracepb.Span{
		TraceId: walk.TraceId, SpanId: spanID(id, a.Step, a.Start), ParentSpanId: walk.SpanId, Name: a.Step, Kind: tracepb.Span_SPAN_KIND_CLIENT,
		StartTimeUnixNano: nanoseconds(a.Start), EndTimeUnixNano: nanoseconds(a.Start.Add(a.Duration)), Attributes: attributes("lienthong.code", a.Code),
	}
	if a.Step == "verify" { // here, without anybody else
		s.Kind = tracepb.Span_SPAN_KIND_INTERNAL
	}
	switch {
	case a.Error != "":
		s.Status = failure(a.Error)
	case a.Duration == 0:
		s.Status = failure("nobody knows how it ended: the node was stopped before it did")
	}
	return s
}

func failure(why string) *tracepb.Status {
	return &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: why}
}

// spanID is the same for the same try of the same Transfer.
func spanID(id uuid.UUID, step string, at time.Time) []byte {
	sum := sha256.Sum256(append(binary.BigEndian.AppendUint64(id[:len(id):len(id)], nanoseconds(at)), step...))
	return sum[:8]
}

// nanoseconds since 1970; there is none before.
func nanoseconds(at time.Time) uint64 { return uint64(max(at.UnixNano(), 0)) }

// maxReceivers is how many receivers a span names.
const maxReceivers = 20

// receivers names the first of them.
func receivers(t *node.Transfer) string {
	var all []string
	for _, r := range t.Receivers[:min(len(t.Receivers), maxReceivers)] {
		all = append(all, r.OrganID)
	}
	return strings.Join(all, " ")
}

// size is that of the packet, in octets.
func size(t *node.Transfer) int64 {
	n := t.Envelope.Size
	if t.Profile == "" { // else the files are in it
		for _, p := range t.Parts {
			n += p.Content.Size
		}
	}
	return n
}

// attributes makes attributes of names and values in turn, without the empty ones.
func attributes(pairs ...string) []*commonpb.KeyValue {
	var all []*commonpb.KeyValue
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			all = append(all, &commonpb.KeyValue{Key: pairs[i], Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: pairs[i+1]}}})
		}
	}
	return all
}

func number(name string, v int64) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: name, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: v}}}
}
