// Package organ knows the agencies that exchange documents by their
// identifiers (mã định danh) and keeps the dated register of their codes.
//
// An [ID] is what stands in OrganId. Two generations share the wire, often in
// one message, and both build on the same three-character code of a level-1
// agency:
//
//	000.12.31.H53   QCVN 102:2016/BTTTT, QĐ 28/2018/QĐ-TTg Art. 10: four groups, the root last, zeros for unused levels
//	H53.31.12       QĐ 20/2020/QĐ-TTg Art. 4: the root first, only the levels in use
//
// Beside them stand identification schemes (Z01…Z99 and what their issuer
// appends, QĐ 20/2020 Art. 6 and 7), registration codes of enterprises and
// households (Art. 5), and ids of no published form that are nevertheless in
// daily use: [Parse] takes those too, [ID.Generation] calls them [Other].
// Identifiers compare byte by byte, upper and lower case apart; two spellings
// of one agency are two ids, and [ID.Counterpart] only guesses the other one.
//
// # The register
//
// [Lookup] answers who held a level-1 code at a date. Codes close, merge and
// change names, while documents that carry them stay in archives, so a closed
// code is found and says that it is closed. The data in register.csv follow
// the tables of Quyết định 20/2020/QĐ-TTg (Phụ lục I, in force since 15
// September 2020) and Quyết định 09/2025/QĐ-TTg (Điều 1, since 14 April 2025).
// For the provinces merged by Nghị quyết 202/2025/QH15 we know of no published
// list of codes: their closing on 30 June 2025 and the code they went into
// follow from the rule of QĐ 09/2025 Điều 2(2)(a), that a merged province keeps
// the code of the part whose name it bears, and the source of such a row says
// "suy ra từ" (derived from).
//
// What the decisions leave open, the register leaves open: reserved codes are
// not in it; Party and National Assembly bodies are there as the letters A and
// C, because their codes are not published; G37 has no name and no first day;
// G38, G39 and G40 may be older than the decision that shows them; where the
// closed ministries went is not said there, so MergedInto is empty for them;
// the changes of 2025 among the socio-political organisations (I) are missing.
package organ
