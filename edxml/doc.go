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
// [Read] does the same and throws the content away, keeping sizes and digests.
// [Validate] adds what the rules have to say. [Write], [WriteEnvelope] and
// [WriteStatus] produce packets.
//
// Signatures are about bytes, so nothing here ever rewrites a packet that was
// received: keep what you read from, and hand that to package signature.
package edxml
