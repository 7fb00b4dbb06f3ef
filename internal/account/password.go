package account

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base32"
	"runtime"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"huoban/internal/fault"
)

// Limits of a password in characters. Any character counts, composition is not asked for, and
// pasting is welcome; length and not being guessable are what matters (ASVS 5.0, 6.2).
const (
	MinPassword = 8
	MaxPassword = 128
)

// CheckPassword refuses what is short, long, everybody's, or made of the login.
// Faults: account.password_short, .password_long, .password_weak, .password_like_login.
func CheckPassword(password, login string) error {
	if !utf8.ValidString(password) {
		return fault.Invalid("account.password_weak", nil)
	}
	switch n := utf8.RuneCountInString(password); {
	case n < MinPassword:
		return fault.Invalid("account.password_short", fault.Args{"min": MinPassword})
	case n > MaxPassword:
		return fault.Invalid("account.password_long", fault.Args{"max": MaxPassword})
	}
	low := strings.ToLower(password)
	if l := strings.ToLower(login); len(l) >= 3 && core(low) == core(l) {
		return fault.Invalid("account.password_like_login", nil)
	}
	if weak(low) {
		return fault.Invalid("account.password_weak", nil)
	}
	return nil
}

// weak tells whether the password, with the usual ornaments taken away, is one that guessers try first.
func weak(low string) bool {
	if few(low) || sequence(low) {
		return true
	}
	bare := core(low)
	if bare == "" || commonStems[bare] || commonStems[plain(bare)] {
		return true
	}
	half := bare[:len(bare)/2]
	return len(bare)%2 == 0 && half+half == bare && (commonStems[half] || utf8.RuneCountInString(half) < 4)
}

// core takes digits and symbols off both ends: "Admin@123" is "admin".
func core(low string) string {
	return strings.TrimFunc(low, func(r rune) bool { return !unicode.IsLetter(r) })
}

// plain undoes the customary replacements of letters.
func plain(s string) string {
	return strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i").Replace(s)
}

// few tells whether there are fewer than four different characters.
func few(s string) bool {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen) < 4
}

// rows are the runs a hand makes on a keyboard.
var rows = []string{"01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik"}

// sequence tells whether the whole is one run of a row, forwards or backwards.
func sequence(s string) bool {
	for _, r := range rows {
		if strings.Contains(r+r, s) || strings.Contains(backwards(r+r), s) {
			return true
		}
	}
	return false
}

func backwards(s string) string {
	r := []rune(s)
	for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
		r[i], r[j] = r[j], r[i]
	}
	return string(r)
}

// commonStems are the words behind the passwords found most often in published breaches, and the
// ones an administrator of this program would think of first.
var commonStems = stems(`password passwd pass passwort contrasena motdepasse senha mima admin administrator root user guest test
	tester testing demo login welcome letmein changeme change default secret master manager operator system server oracle
	qwerty qwertyuiop qwert qwe asdfgh asdf asdfghjkl zxcvbn zxcvbnm qazwsx qazwsxedc qweasd qweasdzxc abc abcd abcdef abcdefg
	abcabc aaa iloveyou love lovely woaini wo5201314 ilove princess sunshine shadow dragon monkey football baseball soccer
	superman batman michael jordan hunter ranger buster thomas robert daniel andrew joshua ashley jessica charlie starwars
	computer internet samsung google android windows microsoft apple huawei huaweicloud huoban partner partnercenter
	portal cloud company office china beijing shanghai shenzhen guangzhou hello helloworld whatever trustno freedom flower
	summer winter spring autumn january february march april june july august september october november december
	monday tuesday wednesday thursday friday saturday sunday zhang wang zhao chen liu zaq cisco ubuntu linux temp temporary`)

func stems(text string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(text) {
		m[w] = true
	}
	return m
}

// Hashing is the cost of argon2id and how much of it may run at once.
type Hashing struct {
	MemoryKiB   uint32
	Iterations  uint32
	Parallelism uint8
	AtOnce      int           // computations that may run beside each other
	Waiting     int           // how many more may wait; the next is refused at once. 0 = 64
	Wait        time.Duration // how long one of them waits before account.busy
}

// DefaultHashing costs about 20 ms and 19 MiB each; the bound keeps a flood of sign-ins from taking
// the machine's memory.
func DefaultHashing() *Hashing {
	return &Hashing{MemoryKiB: 19 * 1024, Iterations: 2, Parallelism: 1, AtOnce: max(2, runtime.NumCPU()), Wait: 5 * time.Second}
}

type hasher struct {
	params  *argon2id.Params
	slots   chan struct{}
	waiting chan struct{}
	wait    time.Duration
	dummy   string // compared for unknown logins, so that they cost the same
}

func newHasher(h *Hashing) (*hasher, error) {
	if h == nil {
		h = DefaultHashing()
	}
	out := &hasher{
		params: &argon2id.Params{Memory: h.MemoryKiB, Iterations: h.Iterations, Parallelism: h.Parallelism, SaltLength: 16, KeyLength: 32},
		slots:  make(chan struct{}, h.AtOnce), waiting: make(chan struct{}, cmp.Or(h.Waiting, 64)), wait: h.Wait,
	}
	secret, err := randomText(20)
	if err != nil {
		return nil, err
	}
	out.dummy, err = argon2id.CreateHash(secret, out.params)
	return out, err
}

// slot waits for a turn. Fault: account.busy.
func (h *hasher) slot(ctx context.Context) (release func(), err error) {
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots }, nil
	default:
	}
	select {
	case h.waiting <- struct{}{}:
		defer func() { <-h.waiting }()
	default:
		return nil, fault.Unavailable("account.busy", nil)
	}
	t := time.NewTimer(h.wait)
	defer t.Stop()
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-t.C:
		return nil, fault.Unavailable("account.busy", nil)
	}
}

func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	release, err := h.slot(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	return argon2id.CreateHash(password, h.params)
}

// compare tells whether the password fits, and whether its hash was made at another cost. An empty
// hash never fits and takes as long as a real one.
func (h *hasher) compare(ctx context.Context, password, hash string) (ok, stale bool, err error) {
	release, err := h.slot(ctx)
	if err != nil {
		return false, false, err
	}
	defer release()
	if utf8.RuneCountInString(password) > MaxPassword {
		password = ""
	}
	against := hash
	if hash == "" {
		against = h.dummy
	}
	ok, params, err := argon2id.CheckHash(password, against)
	if err != nil {
		return false, false, err
	}
	return ok && hash != "", *params != *h.params, nil
}

// randomText gives n characters of 5 random bits each; lower case without 0 and 1.
func randomText(n int) (string, error) {
	raw := make([]byte, n)
	if _, err := rand.Read(raw); err != nil {
		return "", err
	}
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw)[:n]), nil
}
