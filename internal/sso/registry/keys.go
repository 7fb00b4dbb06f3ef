package registry

import (
	"cmp"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"huoban/internal/audit"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/internal/sso"
	"huoban/internal/sso/metadata"
)

// The life of a key of ours.
const (
	keyBits    = 3072
	keyLife    = 3 * 365 * 24 * time.Hour
	PublishAt  = 60 * 24 * time.Hour // before its end the next one is published
	PublishFor = 7 * 24 * time.Hour  // before it signs
	RetireFor  = 7 * 24 * time.Hour  // after it signed last
)

// Phase is a step of a rollover.
type Phase string

// The phases of a rollover.
const (
	PhaseNone    Phase = ""
	PhasePublish Phase = "publish"
	PhaseSwitch  Phase = "switch"
	PhaseRetire  Phase = "retire"
)

func newKey() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, keyBits) }

// NextPhase says which step the keys of one use have come to, and when.
func NextPhase(rows []KeyRow, now time.Time) (Phase, time.Time) {
	var next, current, retiring *KeyRow
	for i := range rows {
		switch rows[i].State {
		case sso.KeyStateNext:
			next = &rows[i]
		case sso.KeyStateCurrent:
			current = &rows[i]
		case sso.KeyStateRetiring:
			if retiring == nil || rows[i].RetiredAt.Before(retiring.RetiredAt) {
				retiring = &rows[i]
			}
		}
	}
	switch {
	case retiring != nil:
		return PhaseRetire, retiring.RetiredAt.Add(RetireFor)
	case next != nil:
		return PhaseSwitch, next.PublishedAt.Add(max(PublishFor, metadata.Cache))
	case current == nil:
		return PhasePublish, now
	}
	return PhasePublish, current.NotAfter.Add(-PublishAt)
}

// makeKey makes a pair with its certificate; it takes a second, so it is done before a transaction.
func (s *Service) makeKey(kind metadata.Role, entityKey string, use sso.KeyUse, state sso.KeyState) (KeyRow, error) {
	pair, err := s.NewKey()
	if err != nil {
		return KeyRow{}, fmt.Errorf("make key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return KeyRow{}, fmt.Errorf("make key: %w", err)
	}
	now := s.Clock.Now().UTC().Truncate(time.Second)
	k := KeyRow{ID: id.New(), Version: 1, EntityKind: kind, EntityKey: entityKey, Use: use, State: state, PublishedAt: now, NotAfter: now.Add(keyLife), CreatedAt: now}
	if state == sso.KeyStateCurrent {
		k.SwitchedAt = now
	}
	usage := x509.KeyUsageDigitalSignature
	if use == sso.KeyUseDecrypt {
		usage = x509.KeyUsageKeyEncipherment
	}
	// A few minutes of the past, for platforms whose clock is behind.
	t := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: entityKey}, NotBefore: now.Add(-10 * time.Minute), NotAfter: k.NotAfter, KeyUsage: usage}
	if k.CertDER, err = x509.CreateCertificate(rand.Reader, t, t, pair.Public(), pair); err != nil {
		return k, fmt.Errorf("make certificate: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(pair)
	if err != nil {
		return k, fmt.Errorf("make key: %w", err)
	}
	k.Sealed, k.KEKID, err = s.Seal(der, k.ID)
	return k, err
}

// kek is the key that seals, and its name: it is made from the installation's secret, which is a file beside the
// database and never in it.
func (s *Service) kek() (cipher.AEAD, string, error) {
	if len(s.Secret) < 16 {
		return nil, "", errors.New("sso: the installation's secret is missing or short")
	}
	mac := hmac.New(sha256.New, s.Secret)
	mac.Write([]byte("sso.key.v1"))
	key := mac.Sum(nil)
	name := sha256.Sum256(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, "", err
	}
	box, err := cipher.NewGCM(block)
	return box, hex.EncodeToString(name[:4]), err
}

// Seal encrypts for one purpose and names the key it did it under.
func (s *Service) Seal(plain []byte, purpose string) (sealed []byte, kekID string, err error) {
	box, name, err := s.kek()
	if err != nil {
		return nil, "", err
	}
	nonce := make([]byte, box.NonceSize())
	rand.Read(nonce)
	return box.Seal(nonce, nonce, plain, []byte(purpose)), name, nil
}

// Open reads what was sealed for the purpose. Fault: sso.key_sealed when it was under another installation's
// secret.
func (s *Service) Open(sealed []byte, kekID, purpose string) ([]byte, error) {
	box, name, err := s.kek()
	if err != nil {
		return nil, err
	}
	if name != kekID || len(sealed) < box.NonceSize() {
		return nil, fault.Unavailable("sso.key_sealed", fault.Args{"kek": kekID, "have": name})
	}
	plain, err := box.Open(nil, sealed[:box.NonceSize()], sealed[box.NonceSize():], []byte(purpose))
	if err != nil {
		return nil, fault.Unavailable("sso.key_sealed", fault.Args{"kek": kekID, "have": name}).Because(err)
	}
	return plain, nil
}

// keys are the keys of an entity, opened.
func (s *Service) keys(ctx context.Context, entityKey string) ([]sso.Key, error) {
	rows, err := s.Store.Keys(ctx, entityKey)
	if err != nil {
		return nil, err
	}
	var out []sso.Key
	for _, r := range rows {
		if r.State == sso.KeyStateRetired {
			continue
		}
		private, err := s.private(r)
		if err != nil {
			return nil, err
		}
		out = append(out, sso.Key{Use: r.Use, State: r.State, Private: private, CertDER: r.CertDER})
	}
	return out, nil
}

func (s *Service) private(r KeyRow) (*rsa.PrivateKey, error) {
	if k, ok := s.opened.Load(r.ID); ok {
		return k.(*rsa.PrivateKey), nil
	}
	der, err := s.Open(r.Sealed, r.KEKID, r.ID)
	if err != nil {
		return nil, err
	}
	k, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", r.ID, err)
	}
	pair, ok := k.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("key %s is no RSA key", r.ID)
	}
	s.opened.Store(r.ID, pair)
	return pair, nil
}

// KeyStatus is where the keys of one use stand.
type KeyStatus struct {
	Use   sso.KeyUse
	Keys  []KeyRow // without the retired
	Phase Phase    // the next step
	At    time.Time
}

// KeyStatus tells where our keys of a registration stand.
func (s *Service) KeyStatus(ctx context.Context, sc scope.Scope, name string) ([]KeyStatus, error) {
	p, err := s.Find(ctx, sc, name)
	if err != nil {
		return nil, err
	}
	return s.keyStatus(ctx, p.Key)
}

func (s *Service) keyStatus(ctx context.Context, entityKey string) ([]KeyStatus, error) {
	rows, err := s.Store.Keys(ctx, entityKey)
	if err != nil {
		return nil, err
	}
	var out []KeyStatus
	for _, use := range []sso.KeyUse{sso.KeyUseSign, sso.KeyUseDecrypt} {
		st := KeyStatus{Use: use}
		for _, r := range rows {
			if r.Use == use && r.State != sso.KeyStateRetired {
				r.Sealed = nil
				st.Keys = append(st.Keys, r)
			}
		}
		order := []sso.KeyState{sso.KeyStateCurrent, sso.KeyStateNext, sso.KeyStateRetiring}
		sorted.By(st.Keys, func(a, b KeyRow) int {
			return cmp.Compare(slices.Index(order, a.State), slices.Index(order, b.State))
		})
		if len(st.Keys) == 0 {
			continue // a hosted platform reads nothing encrypted
		}
		st.Phase, st.At = NextPhase(st.Keys, s.Clock.Now())
		out = append(out, st)
	}
	return out, nil
}

// Rotate takes a step of the rollover of our keys of a registration, or of a hosted platform by its key: the step
// named, or the one that comes next. Before its time a step wants force. Faults: sso.reg.unknown, sso.key.too_early,
// .phase.
func (s *Service) Rotate(ctx context.Context, sc scope.Scope, name string, phase Phase, force bool) ([]KeyStatus, error) {
	if h, ok, err := s.Store.HostByKey(ctx, name); err != nil {
		return nil, err
	} else if ok && sc.Side() == scope.SideSystem {
		if err := s.rotate(ctx, sc, EntityRef{metadata.RoleIdP, h.Key}, h.PartnerID, phase, force); err != nil {
			return nil, err
		}
		return s.keyStatus(ctx, h.Key)
	}
	p, err := s.change(ctx, sc, name)
	if err != nil {
		return nil, err
	}
	if err := s.rotate(ctx, sc, EntityRef{metadata.RoleSP, p.Key}, p.PartnerID, phase, force); err != nil {
		return nil, err
	}
	return s.keyStatus(ctx, p.Key)
}

func (s *Service) rotate(ctx context.Context, sc scope.Scope, e EntityRef, partnerID string, phase Phase, force bool) error {
	uses := []sso.KeyUse{sso.KeyUseSign, sso.KeyUseDecrypt}
	if e.Kind == metadata.RoleIdP {
		uses = uses[:1]
	}
	for _, use := range uses {
		fresh, err := s.freshFor(ctx, e, use, phase, force)
		if err != nil {
			return err
		}
		err = s.Tx.InTx(ctx, func(ctx context.Context) error { return s.step(ctx, sc, e, partnerID, use, phase, force, fresh) })
		if err != nil {
			return err
		}
	}
	return nil
}

func ofUse(rows []KeyRow, use sso.KeyUse) []KeyRow {
	var out []KeyRow
	for _, r := range rows {
		if r.Use == use {
			out = append(out, r)
		}
	}
	return out
}

// freshFor makes a pair outside the transaction if the step will be to publish one.
func (s *Service) freshFor(ctx context.Context, e EntityRef, use sso.KeyUse, phase Phase, force bool) (*KeyRow, error) {
	rows, err := s.Store.Keys(ctx, e.Key)
	if err != nil {
		return nil, err
	}
	next, at := NextPhase(ofUse(rows, use), s.Clock.Now())
	if next != PhasePublish || phase != PhaseNone && phase != PhasePublish || !force && s.Clock.Now().Before(at) && phase == PhaseNone {
		return nil, nil
	}
	k, err := s.makeKey(e.Kind, e.Key, use, sso.KeyStateNext)
	return &k, err
}

// step takes one step of one use. Publishing a next key does no harm at any time, so a wish for it is enough; the
// two others wait for their time, or force.
func (s *Service) step(ctx context.Context, sc scope.Scope, e EntityRef, partnerID string, use sso.KeyUse, phase Phase, force bool, fresh *KeyRow) error {
	rows, err := s.Store.Keys(ctx, e.Key)
	if err != nil {
		return err
	}
	rows = ofUse(rows, use)
	now := s.Clock.Now()
	next, at := NextPhase(rows, now)
	if phase != PhaseNone && phase != next {
		return fault.Conflict("sso.key.phase", fault.Args{"phase": string(phase), "next": string(next)})
	}
	if now.Before(at) && !force && (next != PhasePublish || phase == PhaseNone) {
		return fault.Conflict("sso.key.too_early", fault.Args{"phase": string(next), "at": at.In(cycle.Zone).Format("2006-01-02 15:04")})
	}
	detail := map[string]any{"use": string(use), "phase": string(next)}
	switch next {
	case PhasePublish:
		if fresh == nil {
			return fault.Conflict("sso.key.phase", fault.Args{"phase": string(phase), "next": string(next)})
		}
		detail["fingerprint"] = Fingerprint(fresh.CertDER)
		if err := s.Store.InsertKey(ctx, *fresh); err != nil {
			return err
		}
	case PhaseSwitch:
		if err := s.switchKeys(ctx, rows, now); err != nil {
			return err
		}
	case PhaseRetire:
		for _, r := range rows {
			if r.State == sso.KeyStateRetiring {
				r.State = sso.KeyStateRetired
				if err := s.keepKey(ctx, r); err != nil {
					return err
				}
			}
		}
	}
	if err := s.touch(ctx, e); err != nil {
		return err
	}
	return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: partnerID, Action: "platform.key_" + string(next), Object: "platform:" + e.Key, Detail: detail})
}

// switchKeys makes the next key the current one; the one before stays published and still decrypts for a while.
func (s *Service) switchKeys(ctx context.Context, rows []KeyRow, now time.Time) error {
	for _, r := range rows {
		if r.State == sso.KeyStateCurrent {
			r.State, r.RetiredAt = sso.KeyStateRetiring, now
			if err := s.keepKey(ctx, r); err != nil {
				return err
			}
		}
	}
	for _, r := range rows {
		if r.State == sso.KeyStateNext {
			r.State, r.SwitchedAt = sso.KeyStateCurrent, now
			if err := s.keepKey(ctx, r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) keepKey(ctx context.Context, r KeyRow) error {
	won, err := s.Store.UpdateKey(ctx, r)
	if err == nil && !won {
		err = fault.Conflict("sso.key.phase", fault.Args{"phase": string(r.State), "next": ""})
	}
	return err
}

// touch raises the version of the registration whose keys changed.
func (s *Service) touch(ctx context.Context, e EntityRef) error {
	if e.Kind != metadata.RoleSP {
		return nil
	}
	p, ok, err := s.Store.Platform(ctx, e.Key)
	if err != nil || !ok {
		return err
	}
	return s.save(ctx, &p)
}

// Fingerprint is a certificate's SHA-256 in lower-case hex.
func Fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// SignBytes signs data with the current signing key of a registration. Fault: sso.key_missing.
func (s *Service) SignBytes(ctx context.Context, key string, data []byte) (algorithm string, signature []byte, err error) {
	keys, err := s.keys(ctx, key)
	if err != nil {
		return "", nil, err
	}
	for _, k := range keys {
		if k.Use == sso.KeyUseSign && k.State == sso.KeyStateCurrent {
			signature, err = signSHA256(k.Private, data)
			return "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", signature, err
		}
	}
	return "", nil, fault.Unavailable("sso.key_missing", fault.Args{"entity": key})
}
