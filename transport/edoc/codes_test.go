package edoc_test

import "testing"

// TestCodes reads every code of the axis's operations, and some of its
// validation: which of them are worth another try, which are about who asks.
func TestCodes(t *testing.T) {
	const (
		final = iota
		temporary
		credential
	)
	for code, want := range map[string]int{
		"CheckPermission": credential, "CheckSignature": credential, "Permission": credential,
		"M.OrganId": final, "M.DocumentId": final, "M.GetDocumentCheckAllow": final, "M.UpdateStatusDoc": final,
		// exceptions, the database, the way to the national axis
		"M.GetOrganizations": temporary, "M.CheckPermission": temporary, "M.GetTraces": temporary, "M.GetDocument": temporary,
		"M.SendDocument": temporary, "M.SaveDocError": temporary, "M.ConfirmReceived": temporary, "M.UpdateTraces": temporary,
		"M.UpdateStatus": temporary, "M.UpdateTrace": temporary, "M.GetPendingDocumentIds": temporary,
		// validation, in both spellings of the path
		"N.MessageHeader.From.OrganId": final, "N.MessageHeaderFromOrganId": final, "R.MessageHeaderCodeCodeNumber": final,
		"MessageHeader.To.OrganId": final, "T.MessageHeader.PromulgationDate": final, "M.Attachment-Type": final, "DocumentId": final,
		// ours
		"M.UnknownReceiver": final, "M.OtherContent": final,
	} {
		_, err := answer(t, wrapped("SendDocument", code, "mô tả", "")).Send(t.Context(), packet(t, document("1", office)))
		f := refused(t, err, "")
		if f.Code != code || f.Temporary() != (want == temporary) || f.Credential != (want == credential) {
			t.Errorf("%s: %+v", code, f)
		}
	}
	_, err := answer(t, wrapped("CheckPermission", "", "", "")).Pending(t.Context())
	if f := refused(t, err, ""); !f.Temporary() {
		t.Errorf("the answer of another operation: %+v", f)
	}
}
