package edxml

// timeRules is the part of the catalogue about when a packet was sent. The
// packet does not say when the document was signed; the promulgation date
// stands for it.
var timeRules = []Rule{
	{"TIME-1", Warning, "QĐ 28/2018/QĐ-TTg Art. 6(2)",
		Text{"gửi lúc %s, muộn hơn buổi sáng ngày làm việc sau ngày ban hành %s", "sent at %s, later than the morning of the working day after the promulgation date %s"},
		Text{"gửi ngay trong ngày ký", "send on the day of signing"}},
	{"TIME-2", Warning, "QĐ 28/2018/QĐ-TTg Art. 6(2); NĐ 30/2020/NĐ-CP Art. 18(1)",
		Text{"đến %s mới gửi văn bản khẩn %s", "sent at %s only, an urgent document %s"},
		Text{"gửi văn bản khẩn ngay sau khi ký số", "send an urgent document right after it was signed"}},
	{"TIME-3", Warning, "NĐ 30/2020/NĐ-CP Art. 21(2)(c)",
		Text{"nơi nhận báo %s lúc %s, sau ngày văn bản đến (%s, theo %s)", "the receiver said %s at %s, after the day the document arrived (%s, by %s)"},
		Text{"báo cho nơi gửi trong ngày nhận được văn bản", "tell the sender on the day the document arrives"}},
	{"TIME-4", Warning, "QĐ 28/2018/QĐ-TTg Art. 14(4)",
		Text{"%s là %s, ở tương lai", "%s is %s, which lies in the future"},
		Text{"đồng bộ đồng hồ của máy gửi theo giờ Việt Nam", "set the sending machine's clock to Vietnam's time"}},
	{"TIME-4a", Warning, "QĐ 28/2018/QĐ-TTg Art. 14(4)",
		Text{"%s là %s, sớm hơn %s là %s: đồng hồ của một trong hai hệ thống sai", "%s is %s, before %s, which is %s: one of the two systems has a wrong clock"},
		Text{"đồng bộ đồng hồ của các hệ thống theo giờ Việt Nam", "set the clocks of the systems to Vietnam's time"}},
}
