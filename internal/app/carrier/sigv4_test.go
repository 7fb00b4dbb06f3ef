package carrier

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestPublishedSignatures are the examples of the "Signature Calculations for the Authorization Header" chapter of the
// Amazon S3 API Reference.
func TestPublishedSignatures(t *testing.T) {
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	at := time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
	head := func(more ...string) map[string]string {
		out := map[string]string{"host": "examplebucket.s3.amazonaws.com", "x-amz-date": "20130524T000000Z", "x-amz-content-sha256": empty}
		for i := 0; i < len(more); i += 2 {
			out[more[i]] = more[i+1]
		}
		return out
	}
	const put = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
	for _, c := range []struct {
		name string
		in   signing
		want string
	}{
		{"GET Object", signing{method: "GET", path: "/test.txt", headers: head("range", "bytes=0-9"), payload: empty}, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
		{"PUT Object", signing{method: "PUT", path: escaped("/test$file.text", true), payload: put,
			headers: head("date", "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class", "REDUCED_REDUNDANCY", "x-amz-content-sha256", put)},
			"98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
		{"GET Bucket Lifecycle", signing{method: "GET", path: "/", query: url.Values{"lifecycle": {""}}, headers: head(), payload: empty}, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
		{"GET Bucket", signing{method: "GET", path: "/", query: url.Values{"max-keys": {"2"}, "prefix": {"J"}}, headers: head(), payload: empty}, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
	} {
		c.in.region, c.in.at = "us-east-1", at
		got := c.in.authorization("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
		if !strings.HasSuffix(got, ",Signature="+c.want) {
			t.Errorf("%s: %s, want signature %s", c.name, got, c.want)
		}
	}
}
