package invoice

import (
	"regexp"
	"strings"
	"time"

	"huoban/internal/fault"
)

// TitleKind is 抬头类型: 企业, 个人, 组织 (such as an association or an office).
type TitleKind string

// The kinds of title.
const (
	TitleCompany      TitleKind = "company"
	TitlePersonal     TitleKind = "personal"
	TitleOrganisation TitleKind = "organisation"
)

// TitleKinds lists them as pages offer them.
var TitleKinds = []TitleKind{TitleCompany, TitlePersonal, TitleOrganisation}

// Title is 发票信息: who stands on the invoice. A partner has one that is valid; an amendment is its next version.
type Title struct {
	PartnerID string
	Version   int64
	Kind      TitleKind
	Name      string // 抬头
	TaxNo     string // 纳税人识别号
	Bank      string // 基本户开户银行
	Account   string // 基本户开户账号
	Address   string // 企业注册地址
	Phone     string // 企业注册电话
	CreatedBy string
	CreatedAt time.Time
}

var (
	bankAccount = regexp.MustCompile(`^[0-9]{6,30}$`)
	phoneNumber = regexp.MustCompile(`^\+?[0-9][0-9 ()-]{3,30}$`)
	postcode    = regexp.MustCompile(`^[0-9]{6}$`)
)

// Check trims and refuses what no tax office knows. A company has a tax number, an organisation may, a person has
// none. Faults: invoice.title_kind, .title_name, .tax_number, .bank_malformed, .account_malformed,
// .address_malformed, .phone_malformed.
func (t *Title) Check() error {
	for _, s := range []*string{&t.Name, &t.TaxNo, &t.Bank, &t.Account, &t.Address, &t.Phone} {
		*s = strings.TrimSpace(*s)
	}
	t.TaxNo, t.Account = strings.ToUpper(strings.ReplaceAll(t.TaxNo, " ", "")), strings.ReplaceAll(t.Account, " ", "")
	switch t.Kind {
	case TitleCompany, TitleOrganisation:
	case TitlePersonal:
		t.TaxNo, t.Bank, t.Account, t.Address, t.Phone = "", "", "", "", ""
	default:
		return fault.Invalid("invoice.title_kind", nil)
	}
	switch {
	case !text(t.Name, 2, 100, false):
		return fault.Invalid("invoice.title_name", nil)
	case (t.Kind == TitleCompany || t.TaxNo != "") && !TaxNumber(t.TaxNo):
		return fault.Invalid("invoice.tax_number", nil)
	case !text(t.Bank, 0, 100, false):
		return fault.Invalid("invoice.bank_malformed", nil)
	case t.Account != "" && !bankAccount.MatchString(t.Account):
		return fault.Invalid("invoice.account_malformed", nil)
	case !text(t.Address, 0, 200, false):
		return fault.Invalid("invoice.address_malformed", nil)
	case t.Phone != "" && !phoneNumber.MatchString(t.Phone):
		return fault.Invalid("invoice.phone_malformed", nil)
	}
	return nil
}

// Missing names the fields a special invoice needs and the title has not.
func (t *Title) Missing() []string {
	var out []string
	for _, f := range []struct{ name, value string }{{"tax_no", t.TaxNo}, {"bank", t.Bank}, {"account", t.Account}, {"address", t.Address}, {"phone", t.Phone}} {
		if f.value == "" {
			out = append(out, f.name)
		}
	}
	return out
}

// taxSigns are the signs of a 统一社会信用代码 by their value: no I, O, S, V, Z.
const taxSigns = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// orgSigns are those of the 组织机构代码 within it.
const orgSigns = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

var orgWeights = [8]int{3, 7, 9, 10, 5, 8, 4, 2}

// TaxNumber tells whether the text is a 统一社会信用代码 (GB 32100-2015): 18 signs, of which the last checks the
// others by weights of 3^i modulo 31, and the 17th the eight before it (GB 11714: modulo 11, X for 10).
func TaxNumber(s string) bool {
	if len(s) != 18 {
		return false
	}
	sum, weight := 0, 1
	for i := range 18 {
		value := strings.IndexByte(taxSigns, s[i])
		if value < 0 {
			return false
		}
		if i < 17 {
			sum += value * weight
			weight = weight * 3 % 31
			continue
		}
		if (31-sum%31)%31 != value {
			return false
		}
	}
	sum = 0
	for i, w := range orgWeights {
		sum += strings.IndexByte(orgSigns, s[8+i]) * w
	}
	return "0123456789X0"[11-sum%11] == s[16]
}

// Address is where letters go; a partner keeps up to MaxAddresses.
type Address struct {
	ID        string
	PartnerID string
	Post
	CreatedBy string
	CreatedAt time.Time
}

// Check trims and refuses what no courier finds. Faults: invoice.recipient_malformed, .phone_malformed,
// .address_malformed, .postcode_malformed.
func (p *Post) Check() error {
	for _, s := range []*string{&p.Recipient, &p.Phone, &p.Region, &p.Detail, &p.Postcode} {
		*s = strings.TrimSpace(*s)
	}
	switch {
	case !text(p.Recipient, 2, 50, false):
		return fault.Invalid("invoice.recipient_malformed", nil)
	case !phoneNumber.MatchString(p.Phone):
		return fault.Invalid("invoice.phone_malformed", nil)
	case !text(p.Region, 2, 60, false) || !text(p.Detail, 4, 200, false):
		return fault.Invalid("invoice.address_malformed", nil)
	case p.Postcode != "" && !postcode.MatchString(p.Postcode):
		return fault.Invalid("invoice.postcode_malformed", nil)
	}
	return nil
}
