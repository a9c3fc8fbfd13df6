package edxml_test

import (
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"time"

	"github.com/lienthong/lienthong/edxml"
)

func Example() {
	f, err := os.Open("testdata/01-strict.xml")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	r, err := edxml.NewReader(f, edxml.ReadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Packet().Document.Subject)
	for {
		a, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		n, err := io.Copy(io.Discard, a.Content) // a file, a hash, a socket
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(a.Name, n, a.SHA256[:8])
	}
	// Output:
	// Báo cáo thử nghiệm
	// ghi-chu.txt 25 220e092c
}

// A Document is a value; its attachments are readers.
func ExampleWrite() {
	promulgated := edxml.DateOf(time.Date(2026, 3, 2, 0, 0, 0, 0, edxml.Vietnam))
	code := edxml.Code{CodeNumber: "118", CodeNotation: "BC-TTTH"}
	d := &edxml.Document{
		From:             edxml.Organ{OrganID: "000.00.00.G22", OrganName: "Văn phòng"},
		To:               []edxml.Organ{{OrganID: "000.00.00.H41", OrganName: "Ủy ban"}},
		DocumentID:       edxml.DocumentID("000.00.00.G22", promulgated, code),
		Code:             code,
		PromulgationInfo: edxml.PromulgationInfo{Place: "Hà Nội", PromulgationDate: promulgated},
		Subject:          "Báo cáo",
		Attachments:      []edxml.Attachment{{Name: "bao-cao.txt", Content: strings.NewReader("Nội dung")}},
	}
	if err := edxml.Write(os.Stdout, d); err != nil {
		log.Fatal(err)
	}
	// Output:
	// <?xml version="1.0" encoding="UTF-8"?>
	// <edXML xmlns="http://www.mic.gov.vn/TBT/QCVN_102_2016">
	//   <edXML:edXMLEnvelope xmlns:edXML="http://www.mic.gov.vn/TBT/QCVN_102_2016">
	//     <edXML:edXMLHeader>
	//       <edXML:MessageHeader>
	//         <edXML:From>
	//           <edXML:OrganId>000.00.00.G22</edXML:OrganId>
	//           <edXML:OrganName>Văn phòng</edXML:OrganName>
	//         </edXML:From>
	//         <edXML:To>
	//           <edXML:OrganId>000.00.00.H41</edXML:OrganId>
	//           <edXML:OrganName>Ủy ban</edXML:OrganName>
	//         </edXML:To>
	//         <edXML:DocumentId>000.00.00.G22,2026/03/02,118/BC-TTTH</edXML:DocumentId>
	//         <edXML:Code>
	//           <edXML:CodeNumber>118</edXML:CodeNumber>
	//           <edXML:CodeNotation>BC-TTTH</edXML:CodeNotation>
	//         </edXML:Code>
	//         <edXML:PromulgationInfo>
	//           <edXML:Place>Hà Nội</edXML:Place>
	//           <edXML:PromulgationDate>2026/03/02</edXML:PromulgationDate>
	//         </edXML:PromulgationInfo>
	//         <edXML:DocumentType>
	//         </edXML:DocumentType>
	//         <edXML:Subject>Báo cáo</edXML:Subject>
	//         <edXML:SignerInfo>
	//         </edXML:SignerInfo>
	//         <edXML:OtherInfo>
	//           <edXML:Priority>0</edXML:Priority>
	//           <edXML:PromulgationAmount>0</edXML:PromulgationAmount>
	//           <edXML:PageAmount>0</edXML:PageAmount>
	//         </edXML:OtherInfo>
	//       </edXML:MessageHeader>
	//       <edXML:TraceHeaderList>
	//         <edXML:Bussiness>
	//           <edXML:BussinessDocType>0</edXML:BussinessDocType>
	//         </edXML:Bussiness>
	//       </edXML:TraceHeaderList>
	//     </edXML:edXMLHeader>
	//     <edXML:edXMLBody>
	//       <edXML:edXMLManifest version="1.0">
	//         <edXML:Reference>
	//           <edXML:ContentId>cid:file-1</edXML:ContentId>
	//           <edXML:ContentType>text/plain</edXML:ContentType>
	//           <edXML:AttachmentName>bao-cao.txt</edXML:AttachmentName>
	//         </edXML:Reference>
	//       </edXML:edXMLManifest>
	//     </edXML:edXMLBody>
	//   </edXML:edXMLEnvelope>
	//   <AttachmentEncoded>
	//     <Attachment>
	//       <ContentId>cid:file-1</ContentId>
	//       <AttachmentName>bao-cao.txt</AttachmentName>
	//       <ContentType>text/plain</ContentType>
	//       <edXML:ContentTransferEncoded xmlns:edXML="http://www.mic.gov.vn/TBT/QCVN_102_2016">TuG7mWkgZHVuZw==</edXML:ContentTransferEncoded>
	//     </Attachment>
	//   </AttachmentEncoded>
	// </edXML>
}

// Reading says what is odd about a packet, validating what breaks a rule.
func ExampleValidate() {
	const packet = `<edXML xmlns="http://www.mic.gov.vn/TBT/QCVN_102_2016"><edXMLEnvelope><edXMLHeader>
  <MessageHeader>
    <From><OrganId>000.00.00.H41</OrganId></From>
    <ResponseFor><OrganId>000.00.00.G22</OrganId><Code>118/BC-TTTH</Code></ResponseFor>
    <StatusCode>02</StatusCode>
    <Timestamp>2026/03/02 09:15:00</Timestamp>
    <Mood>good</Mood>
  </MessageHeader>
</edXMLHeader></edXMLEnvelope></edXML>`
	p, err := edxml.Read(strings.NewReader(packet), edxml.ReadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range append(p.Findings, edxml.Validate(p, time.Now())...) {
		fmt.Println(f.Rule, f.Severity, f.Path, "-", f.Message.In("vi"))
	}
	// Output:
	// PKT-2 info /edXML/edXMLEnvelope/edXMLHeader/MessageHeader/Mood - phần tử Mood không có trong quy chuẩn
	// ST-2 error Description - trạng thái 02 phải ghi lý do trong Description
}

// The parts of a SOAP packet come beside its envelope.
func ExampleReadOptions_parts() {
	d := &edxml.Document{Subject: "Báo cáo", Attachments: []edxml.Attachment{{Name: "bao-cao.txt", ContentID: "f1@example.vn"}}}
	var envelope strings.Builder
	if err := edxml.WriteEnvelope(&envelope, d); err != nil {
		log.Fatal(err)
	}
	sent := []*edxml.Part{{ID: "f1@example.vn", Type: "text/plain", Content: strings.NewReader("Nội dung")}}
	p, err := edxml.Read(strings.NewReader(envelope.String()), edxml.ReadOptions{Parts: func() (*edxml.Part, error) {
		if len(sent) == 0 {
			return nil, io.EOF
		}
		part := sent[0]
		sent = sent[1:]
		return part, nil
	}})
	if err != nil {
		log.Fatal(err)
	}
	a := p.Document.Attachments[0]
	fmt.Println(p.Profile, a.Name, a.Size, a.DetectedType)
	// Output: soap bao-cao.txt 10 text/plain; charset=utf-8
}

// A constructor names what is missing, so that no packet goes out that an axis
// would send back.
func ExampleNewDocument() {
	e := edxml.Essentials{
		From: edxml.Organ{OrganID: "000.00.00.G22", OrganName: "Văn phòng"},
		To:   []edxml.Organ{{OrganID: "000.00.00.H41", OrganName: "Ủy ban"}},
		Code: edxml.Code{CodeNumber: "118", CodeNotation: "BC-TTTH"}, Promulgated: "2026/03/02", TypeName: "Báo cáo",
		Signer: edxml.SignerInfo{FullName: "Người Ký"}, At: time.Date(2026, 3, 2, 8, 0, 0, 0, edxml.Vietnam),
	}
	_, err := edxml.NewDocument(e)
	fmt.Println(err)

	e.Subject = "Báo cáo tháng 2"
	d, err := edxml.NewDocument(e)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(d.DocumentID)
	recall, err := edxml.NewRecall(d, "Ban hành nhầm", e.At.Add(time.Hour))
	if err != nil {
		log.Fatal(err)
	}
	name, _ := recall.DocType().Name()
	fmt.Println(name.VI)
	// Output:
	// edxml: the packet lacks Subject
	// 000.00.00.G22,2026/03/02,118/BC-TTTH
	// thu hồi
}

// A single file becomes a SOAP envelope and its parts. Contents go through a
// file, since an envelope says first what comes behind it.
func ExampleConvert() {
	in, err := os.Open("testdata/01-strict.xml")
	if err != nil {
		log.Fatal(err)
	}
	defer in.Close()
	r, err := edxml.NewReader(in, edxml.ReadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	d, err := edxml.Convert(io.Discard, r, edxml.ProfileSOAP, func(a *edxml.Attachment) (io.Reader, error) {
		f, err := os.CreateTemp("", "content")
		if err != nil {
			return nil, err
		}
		os.Remove(f.Name()) // the open file stays
		if _, err := io.Copy(f, a.Content); err != nil {
			return nil, err
		}
		_, err = f.Seek(0, io.SeekStart)
		return f, err
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range d.Attachments {
		content, _ := io.ReadAll(a.Content)
		fmt.Println(a.ContentID, a.ContentType, strings.TrimSpace(string(content)))
	}
	// Output: a1 text/plain Ghi chú thử nghiệm.
}

// What one packet does not show: a status that comes from nobody's receiver.
func ExampleExchange() {
	document, err := edxml.NewDocument(edxml.Essentials{
		From: edxml.Organ{OrganID: "G09", OrganName: "Bộ Nội vụ"}, To: []edxml.Organ{{OrganID: "H26", OrganName: "UBND thành phố Hà Nội"}},
		Code: edxml.Code{CodeNumber: "12", CodeNotation: "BNV-VP"}, Promulgated: "2026/03/02", TypeName: "Công văn",
		Subject: "Mời họp", Signer: edxml.SignerInfo{FullName: "Lê Văn Mẫu"}, At: time.Date(2026, 3, 2, 8, 0, 0, 0, edxml.Vietnam),
	})
	if err != nil {
		log.Fatal(err)
	}
	stranger := edxml.Organ{OrganID: "H36", OrganName: "UBND tỉnh Lâm Đồng"}
	status, err := edxml.NewStatus(stranger, edxml.StaffInfo{Department: "Văn thư"}, document, edxml.StatusAccepted, "", time.Date(2026, 3, 2, 9, 0, 0, 0, edxml.Vietnam))
	if err != nil {
		log.Fatal(err)
	}
	var x edxml.Exchange
	x.Add("03.edxml", &edxml.Packet{Kind: edxml.KindStatus, Status: status})
	x.Add("12.edxml", &edxml.Packet{Kind: edxml.KindDocument, Document: document})
	for name, findings := range x.Statuses() {
		for _, f := range findings {
			fmt.Println(name, f.Rule, f.Message.EN)
		}
	}
	// Output:
	// 03.edxml ST-4 status 03 was sent by H36; by the document in 12.edxml it must be one of its receivers
}
