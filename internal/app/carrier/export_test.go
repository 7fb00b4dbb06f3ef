package carrier

import (
	"context"
	"net/http"

	"huoban/internal/subscription"
)

// Request is what would be sent.
func Request(c *Carrier, t subscription.Target, p subscription.Parcel) (*http.Request, error) {
	return c.request(context.Background(), t, p, p.Open())
}
