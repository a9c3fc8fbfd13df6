package edxml

import "slices"

// The types of coded elements hold the text of the packet, as Number does:
// packets of the wild hold values that no list names, and those are kept. Int
// gives the number, Name its meaning; JSON is that of Number.

// BusinessDocType says what a Document does to an earlier one (BussinessDocType,
// QCVN 102:2016/BTTTT), one of [BusinessDocTypes].
type BusinessDocType string

// The values of BusinessDocType.
const (
	New     BusinessDocType = "0" // văn bản mới
	Recall  BusinessDocType = "1" // thu hồi
	Update  BusinessDocType = "2" // cập nhật
	Replace BusinessDocType = "3" // thay thế
)

// Priority is the urgency of a Document (độ khẩn), one of [Priorities].
type Priority string

// The values of Priority: the degrees of NĐ 30/2020/NĐ-CP Art. 4(2)(c) in the
// axis's numbering. PriorityExpressAt is older than that decree, which has no such
// degree (DOC-7a).
const (
	PriorityNormal     Priority = "0" // thường
	PriorityUrgent     Priority = "1" // khẩn
	PriorityVeryUrgent Priority = "2" // thượng khẩn
	PriorityExpress    Priority = "3" // hỏa tốc
	PriorityExpressAt  Priority = "4" // hỏa tốc hẹn giờ
)

// SteeringType says whether a Document steers its receivers (loại chỉ đạo), one
// of [SteeringTypes].
//
// QUIRK: implementations disagree: one annotated source counts from 1, vendor
// samples write 1 into every plain letter, a provincial system always 10, and
// the BKAV axis passes on 1 whatever came. So nothing may be decided by it.
type SteeringType string

// The values of SteeringType, as the BKAV axis and the .NET samples read it.
const (
	NotSteering    SteeringType = "0" // không chỉ đạo
	Steering       SteeringType = "1" // chỉ đạo
	SteeringReport SteeringType = "2" // báo cáo chỉ đạo
)

// ReceiverType says what an update does with a receiver, one of [ReceiverTypes].
type ReceiverType string

// The values of ReceiverType, by the vendors' examples of an update.
const (
	ReceiverRemoved ReceiverType = "0" // bỏ nơi nhận
	ReceiverAdded   ReceiverType = "1" // thêm nơi nhận
)

// Paper says whether a paper copy follows, one of [Papers]: QĐ 28/2018/QĐ-TTg
// Art. 5(3) allows one only for the lists of Art. 7(2).
type Paper string

// The values of Paper.
const (
	PaperNone    Paper = "0" // chỉ gửi bản điện tử
	PaperFollows Paper = "1" // có bản giấy gửi kèm
)

// CodeList is a list of the codes that one element may hold. Packets of the
// wild hold other values too, which are kept as text: the list names values,
// it does not admit them.
type CodeList string

// The code lists, by the element they are of.
const (
	// BusinessDocTypes are the kinds of Document.
	BusinessDocTypes CodeList = "BussinessDocType"
	// Priorities are the degrees of urgency. QUIRK: the BKAV web console's own
	// table has 5 for normal, which must never be sent.
	Priorities CodeList = "Priority"
	// SteeringTypes are the kinds of steering, see [SteeringType].
	SteeringTypes CodeList = "SteeringType"
	// Papers are the values of Paper.
	Papers CodeList = "Paper"
	// ReceiverTypes are the changes of a receiver list.
	ReceiverTypes CodeList = "ReceiverType"
	// DocumentGroups are the two groups of document types, SĐ 1:2022 QCVN
	// 102:2016/BTTTT lists A and B, as DocumentType/Type has them. QUIRK: iNet
	// and .NET senders write the number in list B there, Java senders always 1.
	DocumentGroups CodeList = "DocumentType/Type"
	// DocumentTypes are the administrative types, SĐ 1:2022 QCVN 102:2016/BTTTT
	// list B, as far as its text could be read: numbers 10 to 17 follow the order
	// of NĐ 30/2020/NĐ-CP Art. 7, what stands behind 26 is not known here, nor are
	// the numbers of list A (legal documents, 13 entries). Nothing is made up for
	// them: TypeName, not the number, is what people go by, and rule DOC-4 knows
	// the names of both groups.
	DocumentTypes CodeList = "DocumentType/TypeDetail"
	// StatusCodes are the states of a Document at its receiver, see [StatusCode].
	StatusCodes CodeList = "StatusCode"
)

// Coded is a code with its name.
type Coded struct {
	Code string
	Name Text
}

// Codes returns the codes of the list in order, nil for a list that is none.
func (l CodeList) Codes() []Coded {
	switch l {
	case BusinessDocTypes:
		return []Coded{
			{"0", Text{"mới", "new"}}, {"1", Text{"thu hồi", "recall"}}, {"2", Text{"cập nhật", "update"}}, {"3", Text{"thay thế", "replacement"}},
		}
	case Priorities:
		return []Coded{
			{"0", Text{"thường", "normal"}}, {"1", Text{"khẩn", "urgent"}}, {"2", Text{"thượng khẩn", "very urgent"}},
			{"3", Text{"hỏa tốc", "express"}}, {"4", Text{"hỏa tốc hẹn giờ", "express at a set hour"}},
		}
	case SteeringTypes:
		return []Coded{
			{"0", Text{"không chỉ đạo", "not steering"}}, {"1", Text{"chỉ đạo", "steering"}}, {"2", Text{"báo cáo chỉ đạo", "report on steering"}},
		}
	case Papers:
		return []Coded{{"0", Text{"chỉ gửi bản điện tử", "electronic only"}}, {"1", Text{"có bản giấy gửi kèm", "a paper copy follows"}}}
	case ReceiverTypes:
		return []Coded{{"0", Text{"bỏ nơi nhận", "receiver removed"}}, {"1", Text{"thêm nơi nhận", "receiver added"}}}
	case DocumentGroups:
		return []Coded{{"1", Text{"văn bản quy phạm pháp luật", "legal document"}}, {"2", Text{"văn bản hành chính", "administrative document"}}}
	case DocumentTypes:
		return documentTypes()
	case StatusCodes:
		var list []Coded
		for _, c := range []StatusCode{
			StatusArrived, StatusRefused, StatusAccepted, StatusAssigned, StatusProcessing, StatusDone,
			StatusTakeBack, StatusTakeBackAgreed, StatusTakeBackDenied,
		} {
			list = append(list, Coded{string(c), statusNames[c]})
		}
		return list
	}
	return nil
}

// Name returns the name of a code as a packet has it: white space around it
// and leading zeros do not count.
func (l CodeList) Name(code Number) (Text, bool) {
	v, ok := code.Int()
	codes := l.Codes()
	i := slices.IndexFunc(codes, func(c Coded) bool {
		n, _ := Number(c.Code).Int()
		return ok && n == v
	})
	if i < 0 {
		return Text{}, false
	}
	return codes[i].Name, true
}

func documentTypes() []Coded {
	return []Coded{
		{"1", Text{"Nghị quyết (cá biệt)", "resolution"}}, {"2", Text{"Quyết định (cá biệt)", "decision"}}, {"3", Text{"Chỉ thị", "directive"}},
		{"4", Text{"Quy chế", "statute"}}, {"5", Text{"Quy định", "regulation"}}, {"6", Text{"Thông cáo", "communiqué"}},
		{"7", Text{"Thông báo", "notice"}}, {"8", Text{"Hướng dẫn", "guidance"}}, {"9", Text{"Chương trình", "programme"}},
		{"10", Text{"Kế hoạch", "plan"}}, {"11", Text{"Phương án", "scheme"}}, {"12", Text{"Đề án", "proposal"}},
		{"13", Text{"Dự án", "project"}}, {"14", Text{"Báo cáo", "report"}}, {"15", Text{"Biên bản", "minutes"}},
		{"16", Text{"Tờ trình", "submission"}}, {"17", Text{"Hợp đồng", "contract"}}, {"18", Text{"Công văn", "official letter"}},
		{"19", Text{"Công điện", "telegram"}}, {"20", Text{"Bản ghi nhớ", "memorandum"}}, {"21", Text{"Bản cam kết", "commitment"}},
		{"22", Text{"Bản thỏa thuận", "agreement"}}, {"23", Text{"Giấy chứng nhận", "certificate"}}, {"24", Text{"Giấy ủy quyền", "letter of authority"}},
		{"25", Text{"Giấy mời", "invitation"}}, {"26", Text{"Giấy giới thiệu", "letter of introduction"}},
	}
}
