package signon

import (
	"context"
	"encoding/base64"
	"encoding/json"

	"huoban/internal/account"
	"huoban/internal/id"
	"huoban/internal/organisation"
	"huoban/internal/outbox"
	"huoban/internal/sso"
)

func newID() string { return id.New() }

// BindResult is what the partner is told of a first entry, signed: once by the customer's browser, and once more
// by the portal itself, for customers who close the window.
type BindResult struct {
	URL         string `json:"url"`
	BindRequest string `json:"bindRequest"`
	SigAlg      string `json:"SigAlg"`
	Signature   string `json:"Signature"`
}

// JobBindResult is the kind of the job that tells it.
const JobBindResult = kindBindResult

// told is the result in the words of the vendor's interface; the last five are ours.
type told struct {
	DomainName   string `json:"domainName"`
	DomainID     string `json:"domainId"`
	UserName     string `json:"userName"`
	UserID       string `json:"userId"`
	XUserID      string `json:"xUserId"`
	BindAction   int    `json:"bindAction"`
	XAccountID   string `json:"xAccountId"`
	XAccountType string `json:"xAccountType"`
	TS           int64  `json:"ts"`
	Nonce        string `json:"nonce"`
}

// tell makes the result and the job; a registration without address is told nothing.
func (s *Service) tell(ctx context.Context, peer Peer, a Asserted, org organisation.Organisation, p account.Person, action int, out *Entered) error {
	if peer.NotifyURL == "" || peer.Sign == nil {
		return nil
	}
	body, err := json.Marshal(told{DomainName: org.Name, DomainID: org.ID, UserName: p.Login, UserID: p.ID, XUserID: a.XUserID, BindAction: action,
		XAccountID: a.XAccountID, XAccountType: peer.AccountType, TS: s.Clock.Now().UnixMilli(), Nonce: sso.NewToken()})
	if err != nil {
		return err
	}
	r := BindResult{URL: peer.NotifyURL, BindRequest: base64.StdEncoding.EncodeToString(body)}
	sig, err := peer.Sign([]byte(r.BindRequest))
	if err != nil {
		return err
	}
	r.SigAlg, r.Signature = "RSA-SHA256", base64.StdEncoding.EncodeToString(sig)
	out.Told = &r
	_, _, err = s.Queue.Enqueue(ctx, outbox.NewJob{Kind: JobBindResult, Payload: r})
	return err
}
