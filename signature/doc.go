// Package signature makes and checks the XML signatures of edXML packets:
// bytes in, verdict out.
//
// [Sign] puts one ds:Signature into a packet and changes nothing else; the
// bytes around it are those that came in. Where it goes and what it binds
// depends on the profile, see [Placement]:
//
//   - Whole, for single-file packets: the last child of edXMLHeader, over the
//     whole file with its attachments.
//   - Parts, for SOAP: a header block of its own, over MessageHeader, Bussiness,
//     Manifest and every attachment. The access token and the TraceHeaders that
//     are added on the way stay outside, so the signature survives sending.
//
// [Verify] returns one [Verdict] for each signature found, never a bool: the
// reason why it is not acceptable, who signed, and which parts of the packet
// the signature binds. A packet without a signature has no verdict and is no
// error; Decision 28/2018/QĐ-TTg Art. 4 calls it a document for information.
//
//	verdicts, err := signature.Verify(file, size, nil, signature.VerifyOptions{Roots: roots})
//	for _, v := range verdicts {
//		if v.Err != nil {
//			…  errors.Is(v.Err, signature.ErrDigest)
//		}
//	}
//
// Unless SignOptions.Plain says otherwise a signature is XAdES-BES: the signer's
// certificate and the time the signer claims are signed with the packet, and
// Verify checks the one and reports the other. [Judge] sums the verdicts up,
// and has a name for what packets carry in place of a signature.
//
// A time stamp (RFC 3161) proves when a signature existed, and keeps it good
// after the signer's certificate has ended. [TSA] fetches one, at signing
// (SignOptions.Stamp) or at any time later ([Imprints]); Verify takes both
// kinds. [Revocation] asks by OCSP and CRL, as of that time.
//
// Verdict.Signed lists what an acceptable signature binds, each to be read as
// it was signed; there is no other way to such content. [SignDetached] and
// [VerifyDetached] are for a signature in a file of its own.
//
// [VerifyXML] does the same work for one signature in any XML file, where no
// profile says what has to be signed: it reports what is.
//
// What is verified is what was read: the packet is scanned once by
// [xmlscan.Scanner], and the same tokens go to the structure and to the hash.
// Nothing a packet says chooses a key, a file or an algorithm outside a short
// list, and position is policy: a reference that points anywhere but where the
// profile says makes the signature unacceptable, however good its mathematics.
// Attachments pass as a stream; memory does not grow with the packet.
package signature
