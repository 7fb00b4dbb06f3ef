package bill

import (
	"slices"
	"time"

	"huoban/internal/fault"
	"huoban/internal/price"
	"huoban/internal/usage"
)

// KindReseller is the organisation kind that buys from a distributor.
const KindReseller = "reseller"

// Leg is one buyer of a line and its price. A reseller's customer makes two: the distributor buys
// from the vendor, the reseller from the distributor.
type Leg struct {
	Buyer, Seller Org
	Entity        Party
	TaxInDue      bool
	Chosen        price.Chosen
}

// Standing says why a line is on bills, or on none.
type Standing string

// The standings of a line.
const (
	StandingBilled   Standing = "billed"
	StandingUnmapped Standing = "unmapped"
	StandingSpread   Standing = "spread"   // its shares are billed, not the line
	StandingAlone    Standing = "alone"    // the customer has no partner at the charge time
	StandingReferral Standing = "referral" // 顾问销售
)

// Pricer finds the buyers of a line and their prices. It remembers every answer, so that a group of
// equal lines is resolved once. Not for concurrent use.
type Pricer struct {
	cfg    Config
	vendor Org
	slots  map[int64]slotZone
	breaks []int64 // days of the book's breaks, as days since 1970
	links  map[string][]foundLink
	legs   map[legKey][]Leg
}

type slotZone struct {
	Slot
	offset int64 // seconds east of UTC; every zone is a fixed offset
}

type foundLink struct {
	Link
	ok bool
}

type legKey struct {
	source, customer, provider, service, sku, region string
	mode                                             usage.ChargingMode
	segment, link                                    int
}

// NewPricer prepares lookup. Fault: bill.vendor_unknown.
func NewPricer(cfg Config) (*Pricer, error) {
	v, ok := cfg.Parties.Org(cfg.VendorID)
	if !ok {
		return nil, fault.NotFound("bill.vendor_unknown", nil)
	}
	p := &Pricer{cfg: cfg, vendor: v, slots: map[int64]slotZone{}, links: map[string][]foundLink{}, legs: map[legKey][]Leg{}}
	for _, s := range cfg.Slots {
		_, off := time.Unix(0, 0).In(s.Zone).Zone()
		p.slots[s.ID] = slotZone{s, int64(off)}
	}
	for _, d := range cfg.Book.Breaks() {
		t, err := time.Parse("2006-01-02", string(d))
		if err != nil {
			return nil, fault.Invalid("price.date_malformed", fault.Args{"Value": string(d)}).Because(err)
		}
		p.breaks = append(p.breaks, floorDay(t.Unix()))
	}
	return p, nil
}

func floorDay(unix int64) int64 {
	if unix < 0 {
		return (unix+1)/86400 - 1
	}
	return unix / 86400
}

// Day is the local day of a line's charge start in the zone of its source.
func (p *Pricer) Day(l *usage.Stored) (price.Date, error) {
	s, err := p.slot(l.SlotID)
	if err != nil {
		return "", err
	}
	return price.DateOf(l.ChargeStart, s.Zone), nil
}

func (p *Pricer) slot(id int64) (slotZone, error) {
	s, ok := p.slots[id]
	if !ok {
		return s, fault.New(fault.KindInternal, "bill.slot_unknown", fault.Args{"slot": id})
	}
	return s, nil
}

// Legs are the buyers of a line in order from the vendor outwards, and its standing.
// Faults: bill.reseller_without_distributor, bill.entity_missing.
func (p *Pricer) Legs(l *usage.Stored) ([]Leg, Standing, error) {
	legs, standing, _, _, err := p.span(usage.GroupOf(l), l.ChargeStart)
	return legs, standing, err
}

// span are the legs of a group's lines that start at an instant, and from when until when they are the same;
// a zero time is unbounded.
func (p *Pricer) span(g *usage.Group, start time.Time) (legs []Leg, standing Standing, from, to time.Time, err error) {
	switch g.CustomerID {
	case usage.CustomerUnmapped:
		return nil, StandingUnmapped, from, to, nil
	case usage.CustomerSpread:
		return nil, StandingSpread, from, to, nil
	}
	link, n := p.link(g.CustomerID, start)
	from, to = link.From, link.To
	switch {
	case !link.ok:
		return nil, StandingAlone, from, to, nil
	case link.Relation == RelationReferral:
		return nil, StandingReferral, from, to, nil
	}
	s, err := p.slot(g.SlotID)
	if err != nil {
		return nil, "", from, to, err
	}
	day := floorDay(start.Unix() + s.offset)
	seg, exact := slices.BinarySearch(p.breaks, day)
	if exact {
		seg++
	}
	if seg > 0 {
		if begin := s.begin(p.breaks[seg-1]); from.IsZero() || begin.After(from) {
			from = begin
		}
	}
	if seg < len(p.breaks) {
		if end := s.begin(p.breaks[seg]); to.IsZero() || end.Before(to) {
			to = end
		}
	}
	key := legKey{source: s.SourceID, customer: g.CustomerID, provider: g.Provider, service: g.Service,
		sku: g.SKU, region: g.Region, mode: g.Mode, segment: seg, link: n}
	legs, known := p.legs[key]
	if !known {
		if legs, err = p.find(g, start, link.Link, s); err != nil {
			return nil, "", from, to, err
		}
		p.legs[key] = legs
	}
	return legs, StandingBilled, from, to, nil
}

// begin is when a day, counted since 1970, begins in the zone of the slot.
func (s slotZone) begin(day int64) time.Time { return time.Unix(day*86400-s.offset, 0) }

func (p *Pricer) link(customerID string, at time.Time) (foundLink, int) {
	known := p.links[customerID]
	for i, l := range known {
		if l.Covers(at) {
			return l, i
		}
	}
	l, ok := p.cfg.Parties.PartnerAt(customerID, at)
	f := foundLink{l, ok}
	p.links[customerID] = append(known, f)
	return f, len(known)
}

func (p *Pricer) find(g *usage.Group, start time.Time, link Link, s slotZone) ([]Leg, error) {
	chain, err := p.chain(link.PartnerID)
	if err != nil {
		return nil, err
	}
	legs := make([]Leg, 0, len(chain))
	seller := p.vendor
	for _, buyer := range chain {
		e, taxInDue, ok := p.cfg.Parties.Entity(s.SourceID, buyer.ID)
		if !ok {
			return nil, fault.Conflict("bill.entity_missing", fault.Args{"vendor": p.vendor.Code})
		}
		legs = append(legs, Leg{Buyer: buyer, Seller: seller, Entity: e, TaxInDue: taxInDue,
			Chosen: p.cfg.Book.Resolve(queryOf(g, buyer, price.DateOf(start, s.Zone)))})
		seller = buyer
	}
	return legs, nil
}

func queryOf(g *usage.Group, buyer Org, day price.Date) price.Query {
	return price.Query{PartnerID: buyer.ID, Reseller: buyer.Kind == KindReseller, CustomerID: g.CustomerID,
		Provider: g.Provider, Product: g.Service, SKU: g.SKU, Mode: g.Mode, Region: g.Region, On: day}
}

// chain is who buys, from the vendor outwards.
func (p *Pricer) chain(partnerID string) ([]Org, error) {
	partner, ok := p.cfg.Parties.Org(partnerID)
	if !ok {
		return nil, fault.New(fault.KindInternal, "bill.partner_unknown", fault.Args{"partner": partnerID})
	}
	if partner.Kind != KindReseller {
		return []Org{partner}, nil
	}
	distributor, ok := p.cfg.Parties.Org(partner.ParentID)
	if !ok || partner.ParentID == "" {
		return nil, fault.Conflict("bill.reseller_without_distributor", fault.Args{"partner": partner.Code})
	}
	return []Org{distributor, partner}, nil
}
