package edxml

func (v *validation) status(s *Status) {
	if s.From.OrganID == "" {
		v.find("ID-1", "From/OrganId", "From")
	}
	if _, ok := s.StatusCode.Name(); s.StatusCode.Canonical() == "14" {
		v.find("ST-1a", "StatusCode")
	} else if !ok {
		v.find("ST-1", "StatusCode", shorten(string(s.StatusCode)))
	}
	switch s.StatusCode.Canonical() {
	case StatusRefused, StatusTakeBack, StatusTakeBackDenied:
		if s.Description == "" {
			v.find("ST-2", "Description", string(s.StatusCode))
		}
	}
	if s.ResponseFor.OrganID == "" {
		v.find("ST-5", "ResponseFor/OrganId", "OrganId")
	}
	if s.ResponseFor.Code == "" && s.ResponseFor.DocumentID == "" {
		v.find("ST-5", "ResponseFor/Code", "Code")
	}
	if _, err := s.Timestamp.Time(); err != nil {
		v.find("DOC-3", "Timestamp", "Timestamp", shorten(string(s.Timestamp)))
	}
}
