// Package edxml knows what an edXML packet is: the administrative documents
// and their statuses that Vietnam's state bodies exchange (QCVN
// 102:2016/BTTTT, Decision 28/2018/QĐ-TTg).
//
// It reads any dialect seen in the wild and says what is odd about it; it
// writes only the strict form. There are two wire shapes with the same fields:
// the single file ([ProfileQCVN102]), attachments inside as base64, and the
// SOAP envelope ([ProfileSOAP]), attachments as MIME parts beside it.
//
// Reading is a walk. [NewReader] reads the header; [Reader.Next] hands out one
// attachment after the other as a stream, never whole in memory:
//
//	r, err := edxml.NewReader(f, edxml.ReadOptions{})
//	…
//	for {
//		a, err := r.Next()
//		if err == io.EOF {
//			break
//		}
//		…
//		io.Copy(dst, a.Content)
//	}
//	p := r.Packet() // fields, findings, where the signatures stand
//
// [Read] does the same and throws the content away, keeping sizes and digests,
// and of PDF files what they show in passing ([PDF]).
//
// Judging comes on top of what reading found. [Validate] goes by the law,
// [ValidateWith] by any set of rules ([Against]): what the law asks, what the
// eDoc axis refuses, and what the vendor's Java library refuses are three
// different things. A [Finding] has a rule, a place, the clause, and what to do
// about it, in Vietnamese and English; [Rules] is the whole catalogue. What only
// several packets show, doubles and statuses that do not fit, an [Exchange]
// finds. Whether a signature holds is for package signature to say; the rules
// for it (RuleSignature) are in the catalogue all the same.
//
// Nothing odd stops the reading but what could not be trusted afterwards: a
// DTD, text that is no UTF-8 or UTF-16, XML that is none, a limit ([Limits]).
// Everything else is a [Finding], and what the standard has no place for is
// kept as [Extra]. The dialects that send two files take the second by
// [ReadOptions.With]. docs/QUIRKS.md lists what packets of the wild are like,
// each with the fixture that shows it.
//
// Making is the other way round. [NewDocument], [NewRecall], [NewUpdate],
// [NewReplacement] and [NewStatus] make values that lack nothing their kind
// needs; [Write], [WriteEnvelope] and [WriteStatus] make packets of them, the
// same bytes every time; [Convert] takes a packet from one profile to the
// other. Coded elements have types ([Priority], [StatusCode] and others) whose
// Name is in Vietnamese and English; [CodeList] lists all codes of one.
//
// Signatures are about bytes, so nothing here ever rewrites a packet that was
// received: keep what you read from, and hand that to package signature.
package edxml
