package conform

import (
	"context"

	"github.com/beevik/etree"

	"github.com/lienthong/lienthong/edxml"
)

func directoryGroup() Group {
	return Group{"G", edxml.Text{VI: "Danh bạ (GetOrganizations)", EN: "The directory (GetOrganizations)"}, []Case{
		{ID: "G01", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Danh bạ có nơi gửi và nơi nhận", EN: "The directory has the sender and the receiver"},
			try: func(ctx context.Context, p *probe) error {
				organs, err := p.directory(ctx)
				if err != nil {
					return err
				}
				for _, id := range []string{p.Sender.Organ, p.Receiver.Organ} {
					if organs[id] == nil {
						return wrong("danh bạ không có %s (%d cơ quan)", "the directory has no %s (%d organs)", id, len(organs))
					}
				}
				return nil
			}},
		{ID: "G02", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Mỗi cơ quan có OrganId và OrganName", EN: "Every organ has OrganId and OrganName"},
			try: func(ctx context.Context, p *probe) error {
				organs, err := p.directory(ctx)
				if err != nil {
					return err
				}
				for id, o := range organs {
					if id == "" || text(o, "OrganName") == "" {
						return wrong("cơ quan %q không có mã hoặc tên", "organ %q has no identifier or no name", id)
					}
				}
				return nil
			}},
		{ID: "G03", Wire: wireEdoc, Clause: bkav, Expect: edxml.Text{
			VI: "Danh bạ không có mã không tồn tại", EN: "The directory does not have the unknown identifier"},
			try: func(ctx context.Context, p *probe) error {
				organs, err := p.directory(ctx)
				if err == nil && organs[p.Unknown] != nil {
					err = wrong("danh bạ có %s", "the directory has %s", p.Unknown)
				}
				return err
			}},
	}}
}

// directory asks for all organs, by identifier.
func (p *probe) directory(ctx context.Context) (map[string]*etree.Element, error) {
	r, err := p.soap(ctx, query("GetOrganizations", "GetOrganizations", p.Sender, ""))
	if err != nil {
		return nil, err
	}
	el, err := r.response("GetOrganizations")
	if err != nil {
		return nil, err
	}
	if at(el, "Organizations") == nil {
		return nil, wrong("câu trả lời không có Organizations: %s", "the answer has no Organizations: %s", refusalText(at(el, "Report")))
	}
	organs := map[string]*etree.Element{}
	for _, o := range children(at(el, "Organizations"), "Organization") {
		organs[text(o, "OrganId")] = o
		if second := text(o, "domain_new"); second != "" {
			organs[second] = o
		}
	}
	return organs, nil
}
