package audit

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"testing"
	"time"
)

// TestHashText: the hash is over JSON with sorted keys, as every chain that exists was written.
func TestHashText(t *testing.T) {
	key := Key{1, 2, 3}
	for _, r := range []Row{
		{Seq: 1, At: time.Date(2026, 2, 28, 23, 59, 59, 999999000, time.UTC), Detail: "{}", Prev: []byte{}},
		{Seq: 1 << 40, At: time.Date(2026, 1, 1, 8, 0, 0, 1000, time.FixedZone("", 28800)), Actor: `a"<>&\`, OnBehalf: "伙伴\u2028", OrgID: "o", Action: "x.y",
			Object: "x:1", Outcome: OutcomeRefused, Detail: `{"a":"<b>"}`, RequestID: "r", IP: "::1", Prev: []byte{0xff, 0}},
	} {
		body, err := json.Marshal(map[string]any{"seq": r.Seq, "at": r.At.UTC().Format(instantForm), "actor": r.Actor, "on_behalf": r.OnBehalf,
			"org_id": r.OrgID, "action": r.Action, "object": r.Object, "outcome": r.Outcome, "detail": r.Detail, "request_id": r.RequestID, "ip": r.IP,
			"prev": hex.EncodeToString(r.Prev)})
		if err != nil {
			t.Fatal(err)
		}
		mac := hmac.New(sha256.New, key[:])
		mac.Write([]byte(domain))
		mac.Write(body)
		if !bytes.Equal(key.hash(r), mac.Sum(nil)) {
			t.Errorf("another hash for %s", body)
		}
	}
}
