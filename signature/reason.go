package signature

import (
	"errors"
	"fmt"

	"github.com/lienthong/lienthong/edxml"
)

// reason is why a signature is not acceptable; each exported one is a sentinel
// for errors.Is.
type reason struct {
	code string
	text edxml.Text
	of   error // the reason it is a case of, or nil
}

// Error gives the reason in English.
func (r *reason) Error() string { return "signature: " + r.text.EN }

// Unwrap makes a special reason answer to the general one as well.
func (r *reason) Unwrap() error { return r.of }

func because(code, vi, en string) error { return &reason{code, edxml.Text{VI: vi, EN: en}, nil} }

func special(of error, code, vi, en string) error {
	return &reason{code, edxml.Text{VI: vi, EN: en}, of}
}

// The reasons in [Verdict.Err]; [Sign] returns some of them too.
var (
	// ErrDigest: what is there is not what was signed; the text names the part or attachment.
	ErrDigest = because("digest", "nội dung đã bị thay đổi sau khi ký", "the content was changed after signing")
	// ErrSignatureValue: the value does not belong to SignedInfo and any certificate given.
	ErrSignatureValue = because("signature-value", "giá trị chữ ký không đúng", "the signature value is wrong")
	// ErrCertificate: the certificate that checks the value is not the one the
	// signer named in the signed properties.
	ErrCertificate = because("certificate", "chứng thư kèm theo không phải chứng thư mà người ký đã nêu khi ký", "the certificate is not the one the signer named when signing")
	// ErrUntrusted: no chain from the signer's certificate to a trusted root.
	ErrUntrusted = because("untrusted", "chứng thư của người ký không thuộc tổ chức được tin cậy", "the signer's certificate does not lead to a trusted root")
	// ErrExpired: the certificate had ended at the time of the verdict.
	ErrExpired = because("expired", "chứng thư đã hết hạn", "the certificate has expired")
	// ErrNotYetValid: the certificate had not begun at the time of the verdict.
	ErrNotYetValid = because("not-yet-valid", "chứng thư chưa có hiệu lực", "the certificate is not valid yet")
	// ErrKeyUsage: the signer's certificate says that its key is for something
	// else; VerifyOptions.AllowLegacy makes it a warning.
	ErrKeyUsage = because("key-usage", "chứng thư của người ký không dùng để ký", "the signer's certificate is not for signing")
	// ErrRevoked: the certificate of the signer or of an issuer was revoked
	// before the time that counts: that of a time stamp, else of the verdict.
	ErrRevoked = because("revoked", "chứng thư đã bị thu hồi", "the certificate was revoked")
	// ErrRevocation: nobody could tell whether the certificate was revoked.
	ErrRevocation = because("revocation-unknown", "không xác định được chứng thư có bị thu hồi hay không", "whether the certificate was revoked is not known")
	// ErrPending: the same, and by policy to be asked again: there is no verdict
	// yet. It is also an [ErrRevocation].
	ErrPending = special(ErrRevocation, "pending", "chưa hỏi được tình trạng thu hồi chứng thư, sẽ kiểm tra lại sau",
		"whether the certificate was revoked cannot be asked now; verify again later")
	// ErrAlgorithm: an algorithm or transform outside the list that is accepted.
	ErrAlgorithm = because("algorithm", "thuật toán không được chấp nhận", "an algorithm is not accepted")
	// ErrShape: the ds:Signature is not built as XML Signature §4 and the profile say.
	ErrShape = because("shape", "khối chữ ký sai cấu trúc", "the signature block is malformed")
	// ErrNamespace: a block named Signature in the namespace of the packet, as
	// vendors' samples carry; it is no XML signature and proves nothing.
	ErrNamespace = because("namespace", "khối Signature nằm trong không gian tên của gói tin, không phải chữ ký số XML",
		"the Signature block is in the packet's namespace; it is no XML signature")
	// ErrDummy: a block named as a signature that holds nothing of one. It is
	// also an [ErrNamespace].
	ErrDummy = special(ErrNamespace, "dummy", "khối chữ ký giữ chỗ, bên trong không có chữ ký số nào; gói tin chưa được ký",
		"a placeholder for a signature with none in it; the packet is not signed")
	// ErrEmpty: an empty DigitalSignature, as a .NET library writes into every
	// packet. It is also an [ErrNamespace].
	ErrEmpty = special(ErrNamespace, "empty", "thẻ DigitalSignature để trống: phần mềm gửi đã chừa chỗ nhưng không ký",
		"an empty DigitalSignature: the sending program left room for a signature and did not sign")
	// ErrRebuilt: the digest is wrong in a packet that shows a second
	// TraceHeader: an axis that builds packets anew breaks every signature over
	// them. Whether that happened, or somebody changed the packet, cannot be told.
	// It is also an [ErrDigest].
	ErrRebuilt = special(ErrDigest, "rebuilt", "chữ ký không còn khớp; gói tin đã qua nhiều chặng nên có thể trục đã dựng lại nó, cũng có thể nội dung đã bị sửa: hãy dựa vào chữ ký trong từng tệp PDF",
		"the signature no longer fits; the packet passed several systems, so an axis may have rebuilt it, or it was changed: rely on the signatures inside the PDF files")
	// ErrUnsigned: there is no signature at all; see [Judge].
	ErrUnsigned = because("unsigned", "gói tin không có chữ ký số, chỉ có giá trị để biết", "the packet carries no signature; it is for information only")
	// ErrCoverage: a reference points where the profile has none, or a part is not bound.
	ErrCoverage = because("coverage", "chữ ký không bao phủ đúng các phần của gói tin", "the signature does not bind what it has to")
	// ErrTolerance: the packet breaks XML in a way that is tolerated in reading,
	// so that two programs could read it differently.
	ErrTolerance = because("tolerance", "gói tin sai cú pháp XML nên không thể có chữ ký hợp lệ", "the packet is not well-formed XML, so no signature in it can be valid")
	// ErrMissingContent: an attachment the signature names was not there.
	ErrMissingContent = because("missing-content", "thiếu tệp đính kèm đã được ký", "a signed attachment is missing")
	// ErrDuplicateID: two elements, or two attachments, have the same identifier.
	ErrDuplicateID = because("duplicate-id", "có hai phần trùng định danh", "two parts have the same identifier")
)

// Errors of [Sign] and [ParseKey] alone, and of reading.
var (
	// ErrSigned: the packet carries a ds:Signature already.
	ErrSigned = errors.New("signature: the packet is signed already")
	// ErrNotPacket: well-formed XML, but no edXML packet of either profile.
	ErrNotPacket = errors.New("signature: this is no edXML packet")
	// ErrKeyMismatch: the private key does not belong to the first certificate.
	ErrKeyMismatch = errors.New("signature: the key does not match the first certificate")
)

// Judge sums up the verdicts on a packet: nil when it has a signature and
// every one is acceptable, [ErrUnsigned] when there is none, the reason of a
// block that only looks like one ([ErrNamespace]) when there is nothing else,
// and else that of the first signature that is not acceptable. A block that is
// none neither spoils a signed packet nor makes up for a signature.
func Judge(verdicts []Verdict) error {
	sum := ErrUnsigned
	for _, v := range verdicts {
		switch {
		case errors.Is(v.Err, ErrNamespace):
			if sum == ErrUnsigned {
				sum = v.Err
			}
		case v.Err != nil:
			return v.Err
		default:
			sum = nil
		}
	}
	return sum
}

// refuse wraps a reason with what was found.
func refuse(why error, format string, args ...any) error {
	return fmt.Errorf("%w: %s", why, fmt.Sprintf(format, args...))
}
