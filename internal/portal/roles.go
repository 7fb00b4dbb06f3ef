package portal

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"huoban/internal/account"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/id"
	"huoban/internal/scope"
	"huoban/web/templates/custview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/orgview"
	"huoban/web/templates/part"
)

const pathRoles = "/roles"

// roleRoutes are 角色: what people may see and do, made of permission items.
func roleRoutes() []Route {
	row := func(method, path, name, title string, item scope.Item, do func(*Handlers, *Ctx) error, query ...string) Route {
		return Route{Method: method, Path: "/o/:org" + pathRoles + path, Name: name, Items: []scope.Item{item}, Title: title, Query: query, Do: do}
	}
	return []Route{
		row(get, "", "roles", "roles.title", scope.ItemRoleView, (*Handlers).roles),
		row(get, "/new", "roles.new", "roles.new", scope.ItemRoleChange, (*Handlers).roleNew, "copy").noList("form"),
		row(post, "", "roles.add", "", scope.ItemRoleChange, (*Handlers).roleAdd),
		row(get, "/:id", "roles.show", "roles.title", scope.ItemRoleView, (*Handlers).roleShown).noList("one role and what it opens"),
		row(get, "/:id/edit", "roles.edit", "roles.edit", scope.ItemRoleChange, (*Handlers).roleEdit).noList("form"),
		row(post, "/:id", "roles.save", "", scope.ItemRoleChange, (*Handlers).roleSave),
		row(post, "/:id/deletion", "roles.delete", "", scope.ItemRoleChange, (*Handlers).roleDelete, "replacement"),
	}
}

// roles lists presets and the organisation's own.
func (h *Handlers) roles(c *Ctx) error {
	title := c.T("roles.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done()}
	if c.Scope.Has(scope.ItemRoleChange) {
		p.Header.Buttons = []part.Link{{Text: c.T("roles.new"), Href: c.at(pathRoles + "/new")}}
	}
	if _, err := h.board(c, &p, "roles"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

func (h *Handlers) readRoles(c *Ctx) (*sheet, error) {
	known, err := h.Accounts.Roles(c.ctx(), c.Org)
	if err != nil {
		return nil, err
	}
	held, err := h.Accounts.Holding(c.ctx(), c.Org.ID)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "role", title: c.T("roles.col.role")}, {key: "kind", title: c.T("roles.col.kind")}, {key: "reach", title: c.T("members.col.reach")}, {key: "pages", title: c.T("roles.col.pages")},
		{key: "items", title: c.T("roles.col.items"), num: true}, {key: "held", title: c.T("roles.col.held"), num: true, class: "m"}}}
	for i := range known {
		r := &known[i]
		kind := c.T("roles.custom")
		if r.Preset {
			kind = c.T("roles.preset")
		}
		people := countCell(int64(len(held[r.Code])))
		if len(held[r.Code]) > 0 && c.Scope.Has(scope.ItemStaffView) {
			people.Href = c.withQuery(pathMembers, "role", r.Code)
		}
		s.add(sheetRow{key: r.Code, mark: marks(r.Name, strings.Join(itemTexts(r.Items), " "), people.Raw), cells: []opsview.Cell{{Text: roleName(c, r), Href: c.at(pathRoles + "/" + r.Code)}, {Text: kind},
			{Text: c.T(account.ReachOf(c.Scope.Side(), []string{r.Code}).Label())}, {Text: join(pagesFor(c, r.Items), c.T("portal.list.comma"))}, countCell(int64(len(r.Items))), people}})
	}
	return s, nil
}

func itemTexts(items []scope.Item) []string {
	out := make([]string, len(items))
	for i := range items {
		out[i] = string(items[i])
	}
	return out
}

// role finds one by its code. Fault: not found.
func (h *Handlers) role(c *Ctx, code string) (*account.Role, error) {
	known, err := h.Accounts.Roles(c.ctx(), c.Org)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(known, func(r account.Role) bool { return r.Code == code })
	if i < 0 {
		return nil, notFound()
	}
	return &known[i], nil
}

func (h *Handlers) roleHeader(c *Ctx, title string, above ...part.Link) part.Header {
	crumbs := append([]part.Link{{Text: c.T("roles.title"), Href: c.at(pathRoles)}}, above...)
	return part.Header{Title: title, Crumbs: c.crumbs(append(crumbs, part.Link{Text: title})...)}
}

func (h *Handlers) roleShown(c *Ctx) error { return h.rolePage(c, http.StatusOK, nil) }

// rolePage shows a role: what it opens, item by item, and what can be done about it.
func (h *Handlers) rolePage(c *Ctx, status int, refused *fault.Error) error {
	r, err := h.role(c, c.Param("id"))
	if err != nil {
		return err
	}
	held, err := h.Accounts.Holding(c.ctx(), c.Org.ID)
	if err != nil {
		return err
	}
	would, err := h.Accounts.Preview(c.ctx(), c.Org, []string{r.Code}, nil)
	if err != nil {
		return err
	}
	name := roleName(c, r)
	p := opsview.Board{Header: h.roleHeader(c, name), Flash: c.done(), Refusal: refusalOf(c, refused), Grids: []opsview.Grid{h.pagesGrid(c, would), itemsGrid(c, r.Items)},
		Facts: []part.Item{{Label: c.T("members.col.reach"), Text: c.T(account.ReachOf(c.Scope.Side(), []string{r.Code}).Label())}, {Label: c.T("roles.col.items"), Text: i18n.Count(int64(len(r.Items)))},
			{Label: c.T("roles.col.held"), Text: i18n.Count(int64(len(held[r.Code])))}}}
	if r.Preset {
		p.Notes = []string{c.T("roles.preset_note")}
	}
	if c.Scope.Has(scope.ItemRoleChange) {
		p.Header.Buttons = []part.Link{{Text: c.T("roles.copy"), Href: c.withQuery(pathRoles+"/new", "copy", r.Code)}}
		if !r.Preset {
			p.Header.Buttons = append(p.Header.Buttons, part.Link{Text: c.T("roles.edit"), Href: c.at(pathRoles + "/" + r.Code + "/edit")})
			remove, err := h.deleteButton(c, r, len(held[r.Code]))
			if err != nil {
				return err
			}
			p.Buttons = []part.Button{remove}
		}
	}
	return c.page(status, p.Page())
}

// deleteButton asks for another role where somebody holds this one.
func (h *Handlers) deleteButton(c *Ctx, r *account.Role, held int) (part.Button, error) {
	d := &part.Dialog{Title: c.T("roles.delete_of", "Role", r.Name), Points: []string{c.T("roles.delete_point")}, Confirm: c.T("roles.delete")}
	b := part.Button{ID: "delete", Text: c.T("roles.delete"), Danger: true, Action: c.at(pathRoles + "/" + r.Code + "/deletion"), Hidden: fresh(), Dialog: d}
	if held == 0 {
		return b, nil
	}
	b.Hint = c.T("roles.delete_held", "Count", held)
	known, err := h.Accounts.Roles(c.ctx(), c.Org)
	choice := part.Field{Name: "replacement", Label: c.T("roles.replacement"), Type: "select", Required: true, Options: []part.Option{{}}}
	for i := range known {
		if known[i].Code != r.Code {
			choice.Options = append(choice.Options, part.Option{Value: known[i].Code, Label: roleName(c, &known[i])})
		}
	}
	d.Fields = []part.Field{choice}
	return b, err
}

// itemsGrid lists permission items by their place in the menu.
func itemsGrid(c *Ctx, items []scope.Item) opsview.Grid {
	g := opsview.Grid{ID: "items", Title: c.T("roles.col.items"), Heads: []opsview.Head{{Text: c.T("roles.page")}, {Text: c.T("roles.acts")}, {Text: c.T("roles.item")}}}
	for _, x := range scope.Catalogue(c.Scope.Side()) {
		if slices.Contains(items, x.Item) {
			top, page, act := x.Labels()
			g.Rows = append(g.Rows, []opsview.Cell{{Text: c.T(top) + " › " + c.T(page)}, {Text: c.T(act)}, {Text: string(x.Item), Mono: true}})
		}
	}
	return g
}

func (h *Handlers) roleNew(c *Ctx) error {
	r := account.Role{}
	if code := c.QueryParam("copy"); code != "" {
		from, err := h.role(c, code)
		if err != nil {
			return err
		}
		r.Name, r.Items = c.T("roles.copy_of", "Role", roleName(c, from)), from.Items
	}
	return h.roleForm(c, &r, http.StatusOK, nil)
}

func (h *Handlers) roleEdit(c *Ctx) error {
	r, err := h.custom(c)
	if err != nil {
		return err
	}
	return h.roleForm(c, r, http.StatusOK, nil)
}

// custom is the role of the address if it is the organisation's own.
func (h *Handlers) custom(c *Ctx) (*account.Role, error) {
	r, err := h.role(c, c.Param("id"))
	if err == nil && r.Preset {
		err = fault.Invalid("account.role_preset", fault.Args{"role": roleName(c, r)})
	}
	return r, err
}

// roleForm offers every item the side may hold, in the order of the menu; what every role has is ticked, and what
// the actor has not cannot be.
func (h *Handlers) roleForm(c *Ctx, r *account.Role, status int, refused *fault.Error) error {
	title, action, back := c.T("roles.new"), c.at(pathRoles), c.at(pathRoles)
	if r.Code != "" {
		title, action = c.T("roles.edit"), c.at(pathRoles+"/"+r.Code)
		back = action
	}
	p := orgview.Form{Header: h.roleHeader(c, title), Refusal: refusalOf(c, refused), Action: action, Hidden: append(fresh(), part.Hidden{Name: "preview", Value: "yes"}),
		Fields: []part.Field{{Name: "name", Label: c.T("roles.name"), Value: r.Name, Required: true, MaxLength: 80, Focus: true}}, Submit: c.T("assignments.preview"),
		Back: part.Link{Text: c.T("assignments.back"), Href: back}, Rules: []string{c.T("roles.rule.all"), c.T("roles.rule.beyond"), c.T("members.rule.at_once")}}
	for _, x := range scope.Catalogue(c.Scope.Side()) {
		top, page, act := x.Labels()
		if n := len(p.Groups); n == 0 || p.Groups[n-1].Title != c.T(top) {
			p.Groups = append(p.Groups, orgview.Group{Title: c.T(top), Name: "item"})
		}
		g := &p.Groups[len(p.Groups)-1]
		t := orgview.Tick{Value: string(x.Item), Label: c.T(page) + " · " + c.T(act), Note: string(x.Item), Checked: slices.Contains(r.Items, x.Item)}
		if opens := pagesFor(c, []scope.Item{x.Item}); len(opens) > 0 && !slices.Contains(everybody, x.Item) {
			t.Note = c.T("roles.pages", "Pages", join(opens, c.T("portal.list.comma"))) + " · " + t.Note
		}
		switch {
		case slices.Contains(account.AlwaysHeld(), x.Item):
			t.Checked, t.Off = true, c.T("roles.always")
		case !c.Scope.Has(x.Item):
			t.Checked, t.Off = false, c.T("roles.beyond")
		}
		g.Ticks = append(g.Ticks, t)
	}
	return c.page(status, p.Page())
}

// typed is the role a form describes.
func (c *Ctx) typed(code string) account.Role {
	r := account.Role{Code: code, Name: strings.TrimSpace(c.FormValue("name")), Side: c.Scope.Side(), OrgID: c.Org.ID}
	for _, item := range c.list("item") {
		r.Items = append(r.Items, scope.Item(item))
	}
	return r
}

func (h *Handlers) roleAdd(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	return h.keepRole(c, c.typed("r_"+strings.ReplaceAll(id.New(), "-", "")[20:]), true)
}

func (h *Handlers) roleSave(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	if _, err := h.custom(c); err != nil {
		return err
	}
	return h.keepRole(c, c.typed(c.Param("id")), false)
}

// keepRole shows what somebody with the role would see, and then saves it.
func (h *Handlers) keepRole(c *Ctx, r account.Role, added bool) error {
	err := h.Accounts.MaySaveRole(c.ctx(), c.Scope, r)
	if err == nil && c.FormValue("preview") == "yes" {
		return h.rolePreview(c, &r, added)
	}
	if err == nil {
		err = h.once(c, func(ctx context.Context) (answer, error) {
			at := c.withQuery(pathRoles+"/"+r.Code, "done", "role_saved")
			return answer{Location: at, Body: map[string]any{"location": at, "role": r.Code}}, h.Accounts.SaveRole(ctx, c.Scope, c.Org.Code, r)
		})
		if err == nil {
			return nil
		}
	}
	return c.refuse(err, func(status int, f *fault.Error) error {
		if added {
			r.Code = ""
		}
		return h.roleForm(c, &r, status, f)
	})
}

func (h *Handlers) rolePreview(c *Ctx, r *account.Role, added bool) error {
	would, err := h.Accounts.Preview(c.ctx(), c.Org, []string{r.Code}, r)
	if err != nil {
		return err
	}
	held, err := h.Accounts.Holding(c.ctx(), c.Org.ID)
	if err != nil {
		return err
	}
	reach, err := h.reachText(c, account.ReachOf(c.Scope.Side(), []string{r.Code}), "")
	if err != nil {
		return err
	}
	p := &custview.Confirm{Header: h.roleHeader(c, c.T("roles.preview")), Hidden: append(fresh(), part.Hidden{Name: "name", Value: r.Name}), Submit: c.T("roles.save"), Action: c.at(pathRoles),
		Back: part.Link{Text: c.T("assignments.back"), Href: c.at(pathRoles)}, Notes: []string{c.T("members.rule.at_once")}, Grid: h.pagesGrid(c, would),
		Facts: []part.Item{{Label: c.T("roles.name"), Text: r.Name}, {Label: c.T("members.col.reach"), Text: reach}, {Label: c.T("roles.col.items"), Text: i18n.Count(int64(len(would.Held())))}}}
	for _, item := range r.Items {
		p.Hidden = append(p.Hidden, part.Hidden{Name: "item", Value: string(item)})
	}
	if c.Scope.Side() == scope.SidePartner {
		p.Checks = append(p.Checks, part.Check{Tone: part.Warn, Title: c.T("roles.all_customers"), Text: c.T("roles.rule.all")})
	}
	if !added {
		p.Action, p.Back.Href = c.at(pathRoles+"/"+r.Code), c.at(pathRoles+"/"+r.Code)
		if n := len(held[r.Code]); n > 0 {
			p.Checks = append(p.Checks, part.Check{Tone: part.Warn, Title: c.T("roles.changes_people", "Count", n), Text: c.T("members.rule.at_once")})
		}
	}
	return h.showPreview(c, p)
}

func (h *Handlers) roleDelete(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	err := h.once(c, func(ctx context.Context) (answer, error) {
		if _, err := h.role(c, c.Param("id")); err != nil {
			return answer{}, err
		}
		if to := c.FormValue("replacement"); to != "" {
			if _, err := h.role(c, to); err != nil {
				return answer{}, err
			}
		}
		return answer{Location: c.withQuery(pathRoles, "done", "role_deleted")}, h.Accounts.DeleteRoleFor(ctx, c.Scope, c.Org.Code, c.Param("id"), c.FormValue("replacement"))
	})
	return c.refuse(err, func(status int, f *fault.Error) error { return h.rolePage(c, status, f) })
}
