// Package lienthong is the root of the module and holds no code: an open
// implementation of the exchange of electronic documents between the state
// bodies of Vietnam, with edXML packets as in QCVN 102:2016/BTTTT and the walk
// of Decision 28/2018/QĐ-TTg.
//
// A program imports the package whose noun it needs:
//
//   - edxml: what a packet is; reads any dialect, writes the strict form
//   - edxml/organ: identifiers of agencies
//   - signature: who signed exactly which bytes
//   - transport/edoc: the eDoc operations, as client and as handler
//   - node: the life of a document between a document system and an axis
//
// The program itself is cmd/lienthong. Which package may import which is
// written down in layout_test.go and drawn in ARCHITECTURE.md.
package lienthong
