package transport_test

import (
	"fmt"

	"github.com/lienthong/lienthong/transport"
)

// A node shows its certificate to an axis, reads it anew when it is renewed,
// and insists on the key that the axis announced.
func ExampleNewHTTPClient() {
	pin, err := transport.ParsePin("sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
	if err != nil {
		fmt.Println(err)
		return
	}
	own, err := transport.LoadCertificate("/etc/lienthong/nut.crt", "/etc/lienthong/nut.key")
	if err != nil {
		fmt.Println("no certificate yet")
		return
	}
	client := transport.NewHTTPClient(transport.HTTPOptions{Certificate: own.Client, Pins: []transport.Pin{pin}})
	defer client.CloseIdleConnections()
	// Output: no certificate yet
}
