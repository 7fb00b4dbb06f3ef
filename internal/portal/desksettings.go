package portal

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"huoban/internal/calendar"
	"huoban/internal/desk"
	"huoban/internal/fault"
	"huoban/internal/foureyes"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const (
	pathDeskCalendar = pathDesk + "/calendar"
	pathDeskLimits   = pathDesk + "/limits"
)

var (
	calendarItems = []scope.Item{scope.ItemCalendarView, scope.ItemCalendarChange}
	limitItems    = []scope.Item{scope.ItemLimitView, scope.ItemLimitChange}
)

// deskSettingRoutes are 工作日历 and 双人复核额度.
func deskSettingRoutes() []Route {
	row := func(method, path, name string, items []scope.Item, title string, do func(*Handlers, *Ctx) error) Route {
		return Route{Method: method, Path: "/o/:org" + path, Name: name, Sides: vendors, Items: items, Title: title, Do: do}
	}
	return []Route{
		row(get, pathDeskCalendar, "desk.calendar", calendarItems, "desk.calendar.title", (*Handlers).deskCalendar),
		row(post, pathDeskCalendar+"/days", "desk.calendar.day", []scope.Item{scope.ItemCalendarChange}, "", (*Handlers).setDay),
		row(post, pathDeskCalendar+"/years", "desk.calendar.year", []scope.Item{scope.ItemCalendarChange}, "", (*Handlers).vouchYear),
		row(get, pathDeskLimits, "desk.limits", limitItems, "desk.limits.title", (*Handlers).deskLimits),
		row(post, pathDeskLimits, "desk.limits.set", []scope.Item{scope.ItemLimitChange}, "", (*Handlers).setLimit),
	}
}

func calendarYear(year int) string { return strconv.Itoa(year) }

// yearParam is the year of the page; none is the present one.
func (h *Handlers) yearParam(c *Ctx) (int, error) {
	text := c.QueryParam("year")
	if text == "" {
		return calendar.DayOf(h.Clock.Now()).Year(), nil
	}
	year, err := strconv.Atoi(text)
	if err != nil || year < desk.FirstYear || year > desk.LastYear {
		return 0, notFound()
	}
	return year, nil
}

func (h *Handlers) deskCalendar(c *Ctx) error { return h.calendarPage(c, http.StatusOK, nil) }

func (h *Handlers) calendarPage(c *Ctx, status int, refused *fault.Error) error {
	year, err := h.yearParam(c)
	if err != nil {
		return err
	}
	days, err := h.Desk.Calendar(c.ctx(), c.Org.ID)
	if err != nil {
		return err
	}
	vouched, err := h.Desk.Vouched(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	title := c.T("desk.calendar.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("desk.title"), Href: c.at(pathDesk)}, part.Link{Text: title})}, Flash: c.done(), Refusal: refusalOf(c, refused), Facts: calendarFacts(c, days, year),
		Filter: &part.Filter{Action: c.at(pathDeskCalendar), Reset: c.at(pathDeskCalendar), Fields: []part.FilterField{yearField(c, days, year),
			{Name: "from", Label: c.T("desk.calendar.from"), Value: c.QueryParam("from"), Hint: "2026-05-08"}, {Name: "days", Label: c.T("desk.calendar.days"), Value: c.QueryParam("days"), Hint: "2"}}}}
	if err := h.reckon(c, &p, days); err != nil {
		return err
	}
	own := slices.ContainsFunc(vouched, func(v desk.Vouched) bool { return v.Year == year })
	switch standing := days.Standing(year); {
	case own:
		i := slices.IndexFunc(vouched, func(v desk.Vouched) bool { return v.Year == year })
		p.Notes = []string{c.T("desk.calendar.vouched", "Year", calendarYear(year), "Who", vouched[i].By, "At", i18n.DateTime(vouched[i].At))}
	case standing != calendar.StandingPublished:
		p.Notes = []string{c.T("desk.calendar.not_published", "Year", calendarYear(year))}
	}
	if c.Scope.Has(scope.ItemCalendarChange) {
		p.Buttons = calendarButtons(c, days, year, own)
	}
	if _, err := h.board(c, &p, "calendar"); err != nil {
		return err
	}
	return c.page(status, p.Page())
}

func yearField(c *Ctx, days *calendar.Calendar, year int) part.FilterField {
	years := append(days.Years(), year, days.Years()[len(days.Years())-1]+1)
	slices.Sort(years)
	f := part.FilterField{Name: "year", Label: c.T("desk.calendar.year"), Value: calendarYear(year)}
	for _, y := range slices.Compact(years) {
		f.Options = append(f.Options, part.Option{Value: calendarYear(y), Label: calendarYear(y) + " · " + c.T(days.Standing(y).Label())})
	}
	return f
}

func calendarFacts(c *Ctx, days *calendar.Calendar, year int) []part.Item {
	worked, last := 0, calendar.Day(calendarYear(year)+"-12-31")
	for d := calendar.Day(calendarYear(year) + "-01-01"); d <= last; d = d.Next(1) {
		if days.Working(d) {
			worked++
		}
	}
	return []part.Item{{Label: c.T("desk.calendar.year"), Text: calendarYear(year)}, {Label: c.T("desk.calendar.standing"), Text: c.T(days.Standing(year).Label()), Note: calendar.Notices[year]}, {Label: c.T("desk.calendar.worked"), Text: i18n.Count(int64(worked))}}
}

// reckon answers what n working days from a day is.
func (h *Handlers) reckon(c *Ctx, p *opsview.Board, days *calendar.Calendar) error {
	from, n := c.QueryParam("from"), strings.TrimSpace(c.QueryParam("days"))
	if from == "" {
		return nil
	}
	d, ok := calendar.ParseDay(from)
	count, err := strconv.Atoi(n)
	if !ok || err != nil || count < 0 || count > 250 {
		return notFound()
	}
	due, unknown := days.Due(d.Time(), count)
	text := c.T("desk.calendar.reckoned", "From", string(d), "Count", count, "Due", i18n.Date(due))
	if len(unknown) > 0 {
		years := make([]string, len(unknown))
		for i, y := range unknown {
			years[i] = calendarYear(y)
		}
		text += c.T("desk.calendar.reckoned_unknown", "Years", join(years, c.T("portal.list.comma")))
	}
	p.Flash = &part.Flash{Tone: part.Brand, Text: text}
	return nil
}

func calendarButtons(c *Ctx, days *calendar.Calendar, year int, own bool) []part.Button {
	y := part.Hidden{Name: "year", Value: calendarYear(year)}
	kinds := []part.Option{{Value: string(calendar.KindRest), Label: c.T(calendar.KindRest.Label())}, {Value: string(calendar.KindWork), Label: c.T(calendar.KindWork.Label())}, {Value: "", Label: c.T("desk.calendar.as_shipped")}}
	set := part.Button{ID: "set-day", Text: c.T("desk.calendar.set"), Primary: true, Action: c.at(pathDeskCalendar + "/days"), Hidden: append(fresh(), y), Dialog: &part.Dialog{Title: c.T("desk.calendar.set_ask"), Points: []string{c.T("desk.calendar.set_point")}, Confirm: c.T("desk.calendar.save"),
		Fields: []part.Field{{Name: "day", Label: c.T("desk.calendar.day"), Required: true, Hint: calendarYear(year) + "-05-09", MaxLength: 10}, {Name: "kind", Label: c.T("desk.calendar.kind"), Type: "select", Options: kinds},
			{Name: "note", Label: c.T("desk.calendar.name"), MaxLength: desk.MaxNote}}}}
	out := []part.Button{set}
	switch {
	case own:
		out = append(out, part.Button{ID: "unvouch", Text: c.T("desk.calendar.unvouch"), Action: c.at(pathDeskCalendar + "/years"), Hidden: append(fresh(), y, part.Hidden{Name: "whole", Value: "no"}),
			Dialog: &part.Dialog{Title: c.T("desk.calendar.unvouch_ask", "Year", calendarYear(year)), Points: []string{c.T("desk.calendar.unvouch_point")}, Confirm: c.T("desk.calendar.unvouch")}})
	case days.Standing(year) != calendar.StandingPublished:
		out = append(out, part.Button{ID: "vouch", Text: c.T("desk.calendar.vouch"), Action: c.at(pathDeskCalendar + "/years"), Hidden: append(fresh(), y, part.Hidden{Name: "whole", Value: "yes"}),
			Dialog: &part.Dialog{Title: c.T("desk.calendar.vouch_ask", "Year", calendarYear(year)), Points: []string{c.T("desk.calendar.vouch_point")}, Confirm: c.T("desk.calendar.vouch")}})
	}
	return out
}

// readCalendar lists the days of a year that are not what their weekday says, and who says so.
func (h *Handlers) readCalendar(c *Ctx) (*sheet, error) {
	year, err := h.yearParam(c)
	if err != nil {
		return nil, err
	}
	days, err := h.Desk.Calendar(c.ctx(), c.Org.ID)
	if err != nil {
		return nil, err
	}
	changes, err := h.Desk.Changes(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "day", title: c.T("desk.calendar.day"), note: c.T("desk.calendar.weekday")}, {key: "kind", title: c.T("desk.calendar.kind")}, {key: "name", title: c.T("desk.calendar.name")}, {key: "by", title: c.T("desk.calendar.by"), note: c.T("desk.calendar.at"), class: "num-l"}},
		empty: part.Empty{Title: c.T("desk.calendar.empty"), Text: c.T("desk.calendar.empty_text")}}
	s.narrowed("year", calendarYear(year))
	tone := map[calendar.Kind]part.Tone{calendar.KindRest: part.Grey, calendar.KindWork: part.Warn}
	for _, x := range days.Year(year) {
		name := x.Name
		if slices.Contains(calendar.Holidays, name) {
			name = c.T("calendar.holiday." + name)
		}
		by := opsview.Cell{Text: c.T("desk.calendar.shipped")}
		if calendar.Shipped().Standing(year) == calendar.StandingStatutory {
			by.Text = c.T("desk.calendar.by_law")
		}
		if i := slices.IndexFunc(changes, func(ch desk.Change) bool { return ch.Day == x.Day }); i >= 0 {
			by = opsview.Cell{Text: changes[i].By, Note: i18n.DateTime(changes[i].At)}
		}
		s.add(sheetRow{key: string(x.Day), mark: marks(string(x.Kind), x.Name, by.Note), cells: []opsview.Cell{{Text: string(x.Day), Note: c.T("calendar.weekday." + strconv.Itoa(int(x.Day.Time().Weekday())))},
			{Status: &part.Status{Text: c.T(x.Kind.Label()), Tone: tone[x.Kind]}}, {Text: name}, by}})
	}
	return s, nil
}

func (h *Handlers) setDay(c *Ctx) error {
	return h.changeCalendar(c, "calendar_day", func(ctx context.Context) error {
		_, err := h.Desk.SetDay(ctx, c.Scope, c.FormValue("day"), calendar.Kind(c.FormValue("kind")), c.FormValue("note"))
		return err
	})
}

func (h *Handlers) vouchYear(c *Ctx) error {
	return h.changeCalendar(c, "calendar_year", func(ctx context.Context) error {
		year, err := strconv.Atoi(c.FormValue("year"))
		if err != nil {
			year = 0
		}
		return h.Desk.Vouch(ctx, c.Scope, year, c.FormValue("whole") == "yes")
	})
}

func (h *Handlers) changeCalendar(c *Ctx, done string, do func(ctx context.Context) error) error {
	if err := c.readForm(); err != nil {
		return err
	}
	year := c.FormValue("year")
	err := h.once(c, func(ctx context.Context) (answer, error) {
		return answer{Location: c.withQuery(pathDeskCalendar, "done", done, "year", year)}, do(ctx)
	})
	return c.refuse(err, func(status int, f *fault.Error) error { return h.calendarPage(c, status, f) })
}

func (h *Handlers) deskLimits(c *Ctx) error { return h.limitsPage(c, http.StatusOK, nil) }

func (h *Handlers) limitsPage(c *Ctx, status int, refused *fault.Error) error {
	title := c.T("desk.limits.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("desk.title"), Href: c.at(pathDesk)}, part.Link{Text: title})}, Flash: c.done(), Refusal: refusalOf(c, refused), Notes: []string{c.T("desk.limits.note")}}
	if c.Scope.Has(scope.ItemLimitChange) {
		b := part.Button{ID: "other", Text: c.T("desk.limits.other"), Action: c.at(pathDeskLimits), Hidden: fresh(), Dialog: &part.Dialog{Title: c.T("desk.limits.other_ask"), Points: []string{c.T("desk.limits.point")}, Confirm: c.T("desk.limits.save")}}
		kind := part.Field{Name: "kind", Label: c.T("desk.limits.kind"), Type: "select", Required: true}
		for _, k := range foureyes.Kinds {
			kind.Options = append(kind.Options, part.Option{Value: string(k), Label: c.T(k.Label())})
		}
		b.Dialog.Fields = []part.Field{kind, {Name: "currency", Label: c.T("desk.limits.currency"), Required: true, MaxLength: 3, Hint: "USD"}, amountField(c, "")}
		p.Buttons = []part.Button{b}
	}
	if _, err := h.board(c, &p, "limits"); err != nil {
		return err
	}
	return c.page(status, p.Page())
}

func amountField(c *Ctx, value string) part.Field {
	return part.Field{Name: "amount", Label: c.T("desk.limits.amount"), Value: value, Required: true, Numeric: true, Hint: "10000.00", Help: c.T("desk.limits.amount_help")}
}

// readLimits lists each kind of decision in CNY, and in every currency a limit is set for.
func (h *Handlers) readLimits(c *Ctx) (*sheet, error) {
	all, err := h.FourEyes.List(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "kind", title: c.T("desk.limits.kind"), note: c.T("desk.limits.rule")}, {key: "currency", title: c.T("desk.limits.currency")}, {key: "amount", title: c.T("desk.limits.amount"), num: true},
		{key: "by", title: c.T("desk.limits.by"), note: c.T("desk.limits.at"), class: "num-l"}, {key: "change", title: c.T("desk.limits.change"), class: "m"}}}
	for _, kind := range foureyes.Kinds {
		currencies := []string{"CNY"}
		for _, l := range all {
			if l.Kind == kind && l.Currency != "CNY" {
				currencies = append(currencies, l.Currency)
			}
		}
		for _, currency := range currencies {
			l, set := all.Of(kind, currency)
			s.add(limitRow(c, l, set))
		}
	}
	return s, nil
}

func limitRow(c *Ctx, l foureyes.Limit, set bool) sheetRow {
	amount, by, rule, value := opsview.Cell{Text: c.T("desk.limits.always")}, opsview.Cell{}, c.T("desk.limits.rule_always"), ""
	if set {
		value = l.Amount.Exact().String()
		text := i18n.ExactMoney(l.Amount.Exact(), l.Currency)
		amount, by, rule = opsview.Cell{Text: text, Raw: value}, opsview.Cell{Text: l.ChangedBy, Note: i18n.DateTime(l.ChangedAt)}, c.T("desk.limits.rule_above", "Amount", text)
	}
	change := opsview.Cell{}
	if c.Scope.Has(scope.ItemLimitChange) {
		name := c.T("desk.limits.ask", "Kind", c.T(l.Kind.Label()), "Currency", l.Currency)
		change.Buttons = []part.Button{{ID: "limit-" + string(l.Kind) + "-" + l.Currency, Text: c.T("desk.limits.edit"), Action: c.at(pathDeskLimits),
			Hidden: append(fresh(), part.Hidden{Name: "kind", Value: string(l.Kind)}, part.Hidden{Name: "currency", Value: l.Currency}, part.Hidden{Name: "version", Value: strconv.FormatInt(l.Version, 10)}),
			Dialog: &part.Dialog{Title: name, Points: []string{c.T("desk.limits.point")}, Confirm: c.T("desk.limits.save"), Fields: []part.Field{amountField(c, value)}}}}
	}
	return sheetRow{key: string(l.Kind) + "/" + l.Currency, at: l.ChangedAt, mark: marks(string(l.Kind), l.Currency, value), cells: []opsview.Cell{{Text: c.T(l.Kind.Label()), Note: rule}, {Text: l.Currency}, amount, by, change}}
}

func (h *Handlers) setLimit(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	in := foureyes.SetInput{Kind: foureyes.Kind(c.FormValue("kind")), Currency: strings.ToUpper(strings.TrimSpace(c.FormValue("currency"))), Amount: strings.TrimSpace(c.FormValue("amount"))}
	if text := c.FormValue("version"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return notFound()
		}
		in.Version = n
	}
	err := h.once(c, func(ctx context.Context) (answer, error) {
		l, err := h.FourEyes.Set(ctx, c.Scope, in)
		return answer{Location: c.withQuery(pathDeskLimits, "done", "limit_set"), Body: map[string]any{"kind": string(l.Kind), "currency": l.Currency, "amount": l.Amount.String(), "version": l.Version}}, err
	})
	return c.refuse(err, func(status int, f *fault.Error) error { return h.limitsPage(c, status, f) })
}
