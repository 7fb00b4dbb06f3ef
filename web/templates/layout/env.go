// Package layout is the frame around every page: head, top bar, mega menu, side navigation, footer,
// and the door shown before signing in.
//
// It owns Env, what a page may take from the context besides its props (the language comes from
// i18n). It does not own page content, routes or permissions: the navigation arrives ready, with only
// the entries the actor may see. Nothing is written inline; the content security policy forbids it.
package layout

import (
	"context"
	"net/url"
	"strings"

	"huoban/internal/i18n"
	"huoban/web/templates/part"
)

// Paths the frame posts to. Each takes a form with "next", the path to return to.
const (
	PathLanguage = "/preferences/language" // POST language=zh-CN|en, next
	PathTheme    = "/preferences/theme"    // POST theme=light|dark|auto, next
	PathRole     = "/preferences/role"     // POST organisation=code
	PathLogout   = "/logout"               // POST
	PathSessions = "/account/sessions"     // GET my sessions
	PathPassword = "/account/password"     // GET change password
)

// Theme is the person's choice of light or dark.
type Theme string

// The themes; ThemeAuto follows the device.
const (
	ThemeLight Theme = "light"
	ThemeDark  Theme = "dark"
	ThemeAuto  Theme = "auto"
)

// ParseTheme reads a theme; anything unknown is ThemeAuto.
func ParseTheme(text string) Theme {
	switch t := Theme(text); t {
	case ThemeLight, ThemeDark:
		return t
	}
	return ThemeAuto
}

// Org is an organisation the person may act for.
type Org struct {
	Code string
	Name string
	Href string // its first page, "/o/{code}/"
	Role string // label of the roles held there, translated
}

// NavItem is one entry of the navigation. Key is translated; Label, if set, stands as it is.
type NavItem struct {
	Key     string
	Label   string
	Href    string
	Current bool
	Count   int // things waiting there; 0 shows nothing

	Shortcut string // letter after "g" that leads here, "b" for bills; "" = none
}

// Text is the entry's words.
func (n NavItem) Text(ctx context.Context) string {
	if n.Label != "" {
		return n.Label
	}
	return i18n.T(ctx, n.Key)
}

// NavGroup is a titled column of the mega menu or block of the side navigation.
type NavGroup struct {
	Key   string // translated title
	Items []NavItem
}

// Area is an entry of the top bar. With Groups it opens the mega menu, else it is a link.
type Area struct {
	NavItem
	Groups []NavGroup
}

// Nav is the navigation the actor may see; empty groups are left out by whoever builds it.
type Nav struct {
	Areas  []Area
	Side   []NavGroup // the current area's groups; none = no side bar
	Recent []NavItem  // last column of the mega menu
}

// SiteBar is a line under the top bar: an overdue bill run, which goes when it is cured, or a notice, which
// the person can take off.
type SiteBar struct {
	Text     string
	LinkText string
	Href     string
	More     *part.Link
	Quiet    bool   // to know, nothing to worry about
	Dismiss  string // POST address that takes it off, which may be asked twice; "" = it stays
}

// Env is what the frame needs to know of the request. The zero value is safe: nobody signed in, no
// navigation, theme by device.
type Env struct {
	Org         Org
	Orgs        []Org  // all organisations of the person, for the switch; one or none hides it
	Person      string // display name; "" = not signed in
	Role        string // label of the role, translated
	Path        string // path and query of this request, where preferences return to
	Theme       Theme
	Compact     bool // dense tables
	Ops         bool // back office: amber frame
	Unread      int
	Messages    NavItem // the bell; without Href it is hidden
	BellMark    string  // stands in place of the bell in a page that is kept; "" shows the bell itself
	Exports     NavItem // the person's exported files; without Href the entry is hidden
	SearchHref  string  // where pages are searched for, "q" is the query; "" hides the field
	Query       string  // what was searched for
	HomeHref    string  // where the mark leads; "" = "/"
	Nav         Nav
	Bars        []SiteBar
	BarsMark    string // stands in place of the bars in a page that is kept
	Version     string
	Deployer    string // who runs this portal, shown at the door
	NoShortcuts bool   // the person switched letter keys off
	Around      *Kept  // frames made before for the same person in the same place; nil makes one anew
}

type envKey struct{}

// With puts the Env into the context.
func With(ctx context.Context, e Env) context.Context { return context.WithValue(ctx, envKey{}, e) }

// From is the context's Env.
func From(ctx context.Context) Env {
	e, _ := ctx.Value(envKey{}).(Env)
	if e.Theme == "" {
		e.Theme = ThemeAuto
	}
	if e.HomeHref == "" {
		e.HomeHref = "/"
	}
	return e
}

// SafeNext keeps a return path inside the portal: a path of our own, never another host's. Browsers read a
// backslash as a slash and leave control characters out, so that neither may stand anywhere, encoded or not.
func SafeNext(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.HasPrefix(u.Path, "//") ||
		strings.ContainsAny(next+u.Path, "\\\r\n\t\x00") {
		return "/"
	}
	return next
}

// Page is what a page tells the frame.
type Page struct {
	Title string   // before the product's name in the window title
	Print string   // line on top of a printout: organisation, document, cycle, state, filter, count, seal
	Notes []string // footer notes besides the time zone
	Wide  bool     // no side bar

	hollow bool // the frame is made to be kept, with slots for what belongs to one page
}
