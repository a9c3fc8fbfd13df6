package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lienthong/lienthong/edxml"
	"github.com/lienthong/lienthong/node"
	"github.com/lienthong/lienthong/node/boltstore"
)

// pastMonth fills a store with what an office sends and receives in a month, so
// that the pages have something to show. Everything is invented.
func pastMonth(t *testing.T, dir string) {
	t.Helper()
	s, err := boltstore.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	n, err := node.New(node.Config{Organ: edxml.Organ{OrganID: "G22", OrganName: organName("G22")}, Store: s})
	if err != nil {
		t.Fatal(err)
	}
	file, err := s.Put(t.Context(), strings.NewReader(string(testPDF(time.Now()))))
	if err != nil {
		t.Fatal(err)
	}
	subjects := []string{
		"V/v đôn đốc thực hiện nhiệm vụ Chính phủ, Thủ tướng Chính phủ giao",
		"Báo cáo công tác kiểm soát thủ tục hành chính quý III năm 2026",
		"Quyết định ban hành Quy chế quản lý, vận hành hệ thống quản lý văn bản",
		"V/v góp ý dự thảo Nghị định sửa đổi, bổ sung một số điều của Nghị định số 30/2020/NĐ-CP",
		"Giấy mời họp trực tuyến về chuyển đổi số",
		"V/v cử cán bộ đầu mối phối hợp kết nối, chia sẻ dữ liệu",
	}
	places := []string{"H41", "H01", "G12", "H29", "G04", "H58"}
	now, serial := time.Now().In(edxml.Vietnam), 0
	var all []*node.Transfer
	for ago := 29; ago >= 1; ago-- {
		day := now.AddDate(0, 0, -ago)
		some := 3 + (ago*7)%6
		if day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
			some = ago % 2
		}
		for i := range some {
			for _, d := range []node.Direction{node.Out, node.In} {
				serial++
				at := time.Date(day.Year(), day.Month(), day.Day(), 8+i%9, (i*13)%60, serial%60, 0, edxml.Vietnam).UTC()
				ms := fmt.Sprintf("%012x", at.UnixMilli())
				place := places[(serial/2)%len(places)]
				x := &node.Transfer{
					ID:        fmt.Sprintf("%s-%s-7%03x-8000-%012x", ms[:8], ms[8:], serial%4096, serial),
					Direction: d, Kind: edxml.KindDocument, DocType: edxml.New, Created: at, Finished: at.Add(40 * time.Second),
					Code: fmt.Sprintf("%d/VPCP-KSTT", 500+serial), Subject: subjects[serial%len(subjects)], PromulgationDate: edxml.DateOf(at),
					From: "G22", FromName: organName("G22"), Envelope: file, AxisID: fmt.Sprint(7000 + serial),
					Parts: []node.Part{{ID: "file-1", Name: "công văn.pdf", Type: "application/pdf", Content: file}},
				}
				switch {
				case d == node.In:
					x.State, x.From, x.FromName = node.Confirmed, place, organName(place)
					x.Code = fmt.Sprintf("%d/UBND-VX", 100+serial)
					x.Signature = &node.Signature{Signed: true, Signer: "CN=" + organName(place) + ",C=VN", Coverage: []string{"MessageHeader", "Bussiness", "Manifest", "công văn.pdf"}}
				case serial%37 == 0:
					x.State, x.LastError, x.Permanent, x.Cause = node.Failed, "edoc: SendDocument: M.Organ: nơi nhận không có trên trục", true, node.CauseReceiver
					x.Attempts = []node.Attempt{{Step: "send", Start: at.Add(2 * time.Second), Duration: 180 * time.Millisecond, Code: "M.Organ", Error: x.LastError}}
				default:
					x.State = node.Sent
				}
				if d == node.Out {
					if serial%11 == 0 {
						x.PromulgationDate = edxml.DateOf(at.AddDate(0, 0, -5)) // sent late
					}
					x.Receivers = []node.Receiver{{OrganID: place, OrganName: organName(place)}}
					if x.State == node.Sent {
						x.Receivers[0].Code = edxml.StatusAccepted
						x.Receivers[0].Events = []node.Event{{Code: edxml.StatusArrived, At: at.Add(time.Minute)}, {Code: edxml.StatusAccepted, At: at.Add(time.Hour)}}
					}
				}
				x.DocumentID = edxml.DocumentID(x.From, x.PromulgationDate, edxml.Code{CodeNumber: x.Code})
				all = append(all, x)
			}
		}
	}
	if err := n.Store.Create(t.Context(), all...); err != nil {
		t.Fatal(err)
	}
}
