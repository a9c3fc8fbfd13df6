package hub_test

import (
	"strings"
	"testing"

	"github.com/lienthong/lienthong/node/hub"
)

func TestReadAgencies(t *testing.T) {
	for name, c := range map[string]struct {
		list string
		want string // identifiers taken, with "-" before those skipped
		fail string
	}{
		"directory":      {"OrganId,OrganizationInCharge,OrganName,Email\n000.00.03.H41,,Sở Y tế,syt@example.vn\n H41.02 ,,\"Sở Nội vụ, Nghệ An\",\n", "000.00.03.H41 H41.02", ""},
		"register":       {"code,name_vi,kind,valid_from,valid_to,source\nA,Đảng,letter_group,2020-09-15,,QĐ\nG22,VPCP,ministry,2020-09-15,,QĐ\nG04,cũ,ministry,2020-09-15,2025-04-13,QĐ\nB02-B99,dự trữ,reserved_range,,,\n", "-A G22 -G04 -B02-B99", ""},
		"semicolons":     {"\xef\xbb\xbfMã định danh;Tên cơ quan;Speaks\nH41;Tỉnh;H41.1 H41.2\n", "H41", ""},
		"answer":         {"<?xml version=\"1.0\"?>\n<S:Envelope xmlns:S=\"s\"><S:Body><e:GetOrganizationsResponse xmlns:e=\"x\"><e:Organizations>\n<e:Organization><e:OrganId>H41.1</e:OrganId><e:OrganName>Sở Y tế &amp; khác</e:OrganName><e:Email/><e:Domain_new>H41.1</e:Domain_new></e:Organization><e:Organization><e:OrganId>H41</e:OrganId><e:OrganName/></e:Organization><e:Organization><e:OrganId>vxp.saas.02</e:OrganId><e:OrganName>x</e:OrganName></e:Organization></e:Organizations></e:GetOrganizationsResponse></S:Body></S:Envelope>", "H41.1 -H41 -vxp.saas.02", ""},
		"no answer":      {"<html><body>x</body></html>", "", "no Organization"},
		"half an answer": {"<a><Organization><OrganId>H41</OrganId>", "", "list of agencies"},
		"no name":        {"OrganId,OrganName\nH41,\n", "-H41", ""},
		"short line":     {"OrganName,OrganId\nTỉnh\n", "-", ""},
		"empty":          {"", "", "empty"},
		"no identifier":  {"OrganName,Email\nx,y\n", "", "OrganId"},
		"no names":       {"OrganId,Email\nx,y\n", "", "OrganName"},
		"extra column":   {"OrganId,OrganName\nH41,Tỉnh,x\n", "", "line 2"},
		"quote":          {"OrganId,OrganName\nH41,\"Tỉnh\nx\n", "", "list of agencies"},
		"day":            {"OrganId,OrganName,valid_to\nH41,Tỉnh,31/12/2025\n", "", "line 2, column valid_to"},
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := hub.ReadAgencies(strings.NewReader(c.list))
			if c.fail != "" {
				if err == nil || !strings.Contains(err.Error(), c.fail) {
					t.Fatalf("error %v, want %q", err, c.fail)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range rows {
				if id := r.Agency.OrganID; r.Skip == "" {
					got = append(got, id)
				} else {
					got = append(got, "-"+id)
				}
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("got %q, want %q", s, c.want)
			}
		})
	}
}

func FuzzReadAgencies(f *testing.F) {
	for _, s := range []string{"OrganId,OrganName\nH41,Tỉnh\n", "code;name\nG22;\"x\"\n", "OrganId,OrganName,valid_to\nH41,x,2025-01-01\n", "<a><Organization><OrganId>H41</OrganId><OrganName>x</OrganName></Organization></a>", "name;code\nG", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, list string) {
		rows, err := hub.ReadAgencies(strings.NewReader(list))
		if err != nil && len(rows) > 0 {
			t.Error("rows beside an error")
		}
		for _, r := range rows {
			if r.Skip == "" && (r.Agency.OrganID == "" || r.Agency.OrganName == "") {
				t.Errorf("taken without identifier or name: %+v", r)
			}
		}
	})
}
