package invoice

import (
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
)

// The numbers of the rules.
const (
	// OpensOn is the last day of the month on which the month before cannot be invoiced yet.
	OpensOn = 3
	// SignDays is how long a letter may be under way before it counts as signed for, where the vendor has not set another.
	SignDays = 15
	// ReviewDays, IssueDays and ReturnDays are service times in working days; a cancellation takes as long as a return.
	ReviewDays = 1
	IssueDays  = 3
	ReturnDays = 3
)

// CourierFrom is the amount from which the issuer pays the courier of a paper invoice, in yuan.
const CourierFrom = money.Amount(100_00000000)

// CourierCurrency is the currency CourierFrom is in; what is in another is not small.
const CourierCurrency = "CNY"

// OpensAt is when a cycle can be invoiced: the day after the 3rd of the next month, at midnight.
func OpensAt(c cycle.Cycle) time.Time { return c.End(cycle.Zone).AddDate(0, 0, OpensOn) }

// OwnCourier tells whether the partner pays the courier.
func OwnCourier(m Medium, amount money.Amount, currency string) bool {
	return m == MediumPaper && currency == CourierCurrency && amount < CourierFrom
}

// Media are the media an entity offers for a kind. An entity that changed to 数电票 issues nothing else; of the
// others a special invoice is a letter, an ordinary one a letter or a file.
func Media(k Kind, digital bool) []Medium {
	switch {
	case digital:
		return []Medium{MediumDigital}
	case k == KindSpecial:
		return []Medium{MediumPaper}
	}
	return []Medium{MediumElectronic, MediumPaper}
}

var (
	fullNumber  = regexp.MustCompile(`^[0-9]{20}$`)
	shortNumber = regexp.MustCompile(`^[0-9]{8}$`)
	invoiceCode = regexp.MustCompile(`^([0-9]{10}|[0-9]{12})$`)
)

// Paper is what the issuer notes of an invoice it made.
type Paper struct{ Code, Number, On, Courier, Tracking string }

// Check trims and refuses what no invoice bears: 数电票 have a number of 20 digits and no code, the others a code of
// 10 or 12 digits and a number of 8. Faults: invoice.number_malformed, .code_malformed, .date_malformed,
// .date_future, .courier_malformed.
func (p *Paper) Check(m Medium, now time.Time) error {
	for _, s := range []*string{&p.Code, &p.Number, &p.On, &p.Courier, &p.Tracking} {
		*s = strings.TrimSpace(*s)
	}
	code, number := invoiceCode.MatchString(p.Code), shortNumber.MatchString(p.Number)
	if m == MediumDigital {
		code, number = p.Code == "", fullNumber.MatchString(p.Number)
	}
	if !number {
		return fault.Invalid("invoice.number_malformed", fault.Args{"digits": map[bool]int{true: 20, false: 8}[m == MediumDigital]})
	}
	if !code {
		return fault.Invalid("invoice.code_malformed", nil)
	}
	on, err := cycle.ParseDay(p.On)
	if err != nil {
		return fault.Invalid("invoice.date_malformed", nil)
	}
	if on.After(now) {
		return fault.Invalid("invoice.date_future", nil)
	}
	if !text(p.Courier, 0, 60, false) || !text(p.Tracking, 0, 60, false) {
		return fault.Invalid("invoice.courier_malformed", nil)
	}
	return nil
}

// check trims the letter a paper invoice goes back in; a file needs none. The number may follow by another return, so
// both or none are given. Faults: invoice.courier_malformed, .back_half.
func (l Letter) check(m Medium) (Letter, error) {
	l.Courier, l.Tracking = strings.TrimSpace(l.Courier), strings.TrimSpace(l.Tracking)
	switch {
	case m.IsFile():
		return Letter{}, nil
	case !text(l.Courier, 0, 60, false) || !text(l.Tracking, 0, 60, false):
		return l, fault.Invalid("invoice.courier_malformed", nil)
	case (l.Courier == "") != (l.Tracking == ""):
		return l, fault.Invalid("invoice.back_half", nil)
	}
	return l, nil
}

// text tells whether s can be shown and has that many characters.
func text(s string, least, most int, lines bool) bool {
	n := utf8.RuneCountInString(s)
	return n >= least && n <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && (!lines || r != '\n') })
}
