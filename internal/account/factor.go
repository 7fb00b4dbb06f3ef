package account

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"image/png"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"huoban/internal/audit"
	"huoban/internal/fault"
)

// Figures of the second factor (RFC 6238 with the values every authenticator app knows).
const (
	codePeriod    = 30 // seconds
	codeSkew      = 1  // periods before and after that are accepted
	recoveryCodes = 10
	recoveryChars = 16
)

// Enrolment is what an authenticator app needs; it is in force only after ConfirmFactor.
type Enrolment struct {
	Secret string // for typing
	URI    string // otpauth://
	PNG    []byte // the same as a QR picture
}

// EnrolFactor makes a new secret for the person. Faults: account.factor_exists.
func (s *Service) EnrolFactor(ctx context.Context, personID string) (Enrolment, error) {
	p, err := s.Store.PersonByID(ctx, personID)
	if err != nil {
		return Enrolment{}, err
	}
	if p.HasTOTP {
		return Enrolment{}, fault.Conflict("account.factor_exists", nil)
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: s.Issuer, AccountName: p.Login, Period: codePeriod, SecretSize: 20})
	if err != nil {
		return Enrolment{}, fmt.Errorf("second factor: %w", err)
	}
	img, err := key.Image(240, 240)
	if err != nil {
		return Enrolment{}, fmt.Errorf("second factor: %w", err)
	}
	var picture bytes.Buffer
	if err := png.Encode(&picture, img); err != nil {
		return Enrolment{}, fmt.Errorf("second factor: %w", err)
	}
	sealed, err := s.seal(personID, []byte(key.Secret()))
	if err != nil {
		return Enrolment{}, err
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		return s.Store.SaveFactor(ctx, Factor{PersonID: personID, Secret: sealed})
	})
	return Enrolment{Secret: key.Secret(), URI: key.URL(), PNG: picture.Bytes()}, err
}

// ConfirmFactor puts an enrolled factor into force when the code fits, and gives the recovery codes,
// shown this once. Faults: account.code_refused, .factor_missing, .factor_exists.
func (s *Service) ConfirmFactor(ctx context.Context, personID, code string) ([]string, error) {
	now := s.Clock.Now()
	plainCodes, hashes, err := newRecoveryCodes()
	if err != nil {
		return nil, err
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		p, err := s.Store.PersonByID(ctx, personID)
		if err != nil {
			return err
		}
		f, ok, err := s.Store.Factor(ctx, personID)
		if err != nil {
			return err
		}
		if !ok {
			return fault.Conflict("account.factor_missing", nil)
		}
		if !f.ConfirmedAt.IsZero() {
			return fault.Conflict("account.factor_exists", nil)
		}
		counter, fits, err := s.counterOf(f, code, now)
		if err != nil {
			return err
		}
		if !fits {
			return fault.Invalid("account.code_refused", nil)
		}
		f.Counter, f.ConfirmedAt = counter, now
		if err := s.Store.SaveFactor(ctx, f); err != nil {
			return err
		}
		if err := s.Store.ReplaceRecovery(ctx, personID, hashes); err != nil {
			return err
		}
		return s.recordPerson(ctx, p.Login, p, "person.add_factor", nil)
	})
	if err != nil {
		return nil, err
	}
	return plainCodes, nil
}

// RemoveFactor takes the second factor away; the person's password is asked again.
// Faults: account.password_wrong, account.locked, account.busy.
func (s *Service) RemoveFactor(ctx context.Context, personID, password string) error {
	p, err := s.reauthenticate(ctx, personID, password)
	if err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.dropFactor(ctx, personID); err != nil {
			return err
		}
		return s.recordPerson(ctx, p.Login, p, "person.remove_factor", nil)
	})
}

func (s *Service) dropFactor(ctx context.Context, personID string) error {
	if err := s.Store.DeleteFactor(ctx, personID); err != nil {
		return err
	}
	return s.Store.ReplaceRecovery(ctx, personID, nil)
}

// spendCode accepts a code once and tells how: "totp", "recovery", or "" for none.
func (s *Service) spendCode(ctx context.Context, personID, code string, now time.Time) (string, error) {
	code = bareCode(code)
	if len(code) == recoveryChars {
		ok, err := s.Store.SpendRecovery(ctx, personID, recoveryHash(code), now)
		if err != nil || !ok {
			return "", err
		}
		return "recovery", nil
	}
	f, ok, err := s.Store.Factor(ctx, personID)
	if err != nil || !ok || f.ConfirmedAt.IsZero() {
		return "", err
	}
	counter, fits, err := s.counterOf(f, code, now)
	if err != nil || !fits {
		return "", err
	}
	won, err := s.Store.AdvanceFactor(ctx, personID, counter)
	if err != nil || !won {
		return "", err
	}
	return "totp", nil
}

// counterOf finds the period whose code it is, later than the last one used.
func (s *Service) counterOf(f Factor, code string, now time.Time) (int64, bool, error) {
	secret, err := s.open(f.PersonID, f.Secret)
	if err != nil {
		return 0, false, err
	}
	opts := hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}
	at := now.Unix() / codePeriod
	for c := at - codeSkew; c <= at+codeSkew; c++ {
		if c <= f.Counter || c < 0 {
			continue
		}
		ok, err := hotp.ValidateCustom(bareCode(code), uint64(c), string(secret), opts)
		if err != nil && !errors.Is(err, otp.ErrValidateInputInvalidLength) {
			return 0, false, fmt.Errorf("second factor: %w", err)
		}
		if ok {
			return c, true, nil
		}
	}
	return 0, false, nil
}

// bareCode removes what people type between groups.
func bareCode(code string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "-", "").Replace(code))
}

func newRecoveryCodes() (plainCodes []string, hashes [][]byte, err error) {
	for range recoveryCodes {
		raw := make([]byte, 10)
		if _, err := rand.Read(raw); err != nil {
			return nil, nil, err
		}
		c := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw))
		plainCodes = append(plainCodes, c[:4]+"-"+c[4:8]+"-"+c[8:12]+"-"+c[12:])
		hashes = append(hashes, recoveryHash(c))
	}
	return plainCodes, hashes, nil
}

// recoveryHash needs no slow hash: a code has 80 random bits.
func recoveryHash(code string) []byte {
	sum := sha256.Sum256([]byte("recovery\x00" + code))
	return sum[:]
}

// seal encrypts a secret for one person, so that a copy of the database alone makes no codes.
func (s *Service) seal(personID string, plaintext []byte) ([]byte, error) {
	box, err := s.box()
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, box.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return box.Seal(nonce, nonce, plaintext, []byte(personID)), nil
}

func (s *Service) open(personID string, sealed []byte) ([]byte, error) {
	box, err := s.box()
	if err != nil {
		return nil, err
	}
	if len(sealed) < box.NonceSize() {
		return nil, errors.New("second factor: sealed secret is cut")
	}
	n := box.NonceSize()
	return box.Open(nil, sealed[:n], sealed[n:], []byte(personID))
}

func (s *Service) box() (cipher.AEAD, error) {
	if len(s.Secret) < 16 {
		return nil, errors.New("account: the installation's secret is missing or short")
	}
	mac := hmac.New(sha256.New, s.Secret)
	mac.Write([]byte("account.factor.v1"))
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func (s *Service) recordPerson(ctx context.Context, actor string, p Person, action string, detail map[string]any) error {
	return s.Audit.Record(ctx, audit.Entry{Actor: actor, OrgID: p.OrgID, Action: action, Object: "person:" + p.Login,
		Outcome: "done", Detail: detail})
}
