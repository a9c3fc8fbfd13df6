package edxml

import "slices"

// Priority is the urgency of a Document (độ khẩn), one of [Priorities].
type Priority = Number

// The values of Priority, NĐ 30/2020/NĐ-CP Art. 8 in the axis's numbering.
const (
	PriorityNormal     Priority = "0" // thường
	PriorityUrgent     Priority = "1" // khẩn
	PriorityVeryUrgent Priority = "2" // thượng khẩn
	PriorityExpress    Priority = "3" // hỏa tốc
	PriorityExpressAt  Priority = "4" // hỏa tốc hẹn giờ
)

// ReceiverType says what an update does with a receiver, one of [ReceiverTypes].
type ReceiverType = Number

// The values of ReceiverType, by the vendors' examples of an update.
const (
	ReceiverRemoved ReceiverType = "0" // bỏ nơi nhận
	ReceiverAdded   ReceiverType = "1" // thêm nơi nhận
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
	// ReceiverTypes are the changes of a receiver list.
	ReceiverTypes CodeList = "ReceiverType"
	// DocumentGroups are the two groups of document types, SĐ 1:2022 QCVN
	// 102:2016/BTTTT lists A and B, as DocumentType/Type has them. QUIRK: iNet
	// and .NET senders write the number in list B there, Java senders always 1.
	DocumentGroups CodeList = "DocumentType/Type"
	// DocumentTypes are the administrative types, SĐ 1:2022 QCVN 102:2016/BTTTT
	// list B; numbers 10 to 17 follow the order of NĐ 30/2020/NĐ-CP Art. 7.
	// TypeName, not the number, is what people go by.
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
