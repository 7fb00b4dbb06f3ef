package layout

import (
	"context"
	"strconv"

	"github.com/a-h/templ"

	"huoban/internal/i18n"
)

func bodyClass(e Env) string {
	if e.Ops {
		return "hb-ops"
	}
	return ""
}

func density(e Env) templ.Attributes {
	if e.Compact {
		return templ.Attributes{"data-density": "compact"}
	}
	return nil
}

func scheme(t Theme) string {
	switch t {
	case ThemeLight:
		return "light"
	case ThemeDark:
		return "dark"
	}
	return "light dark"
}

// otherTheme is where the one-button switch leads without script; with it the button first looks at
// what the device shows.
func otherTheme(t Theme) string {
	if t == ThemeDark {
		return string(ThemeLight)
	}
	return string(ThemeDark)
}

func megaID(i int) string { return "mega-" + strconv.Itoa(i) }

func pressed(on bool) string { return strconv.FormatBool(on) }

func unread(n int) string {
	if n > 99 {
		return "99+"
	}
	return strconv.Itoa(n)
}

// switchLabel speaks the language it leads to, for the person who cannot read this one.
func switchLabel(l i18n.Lang) string {
	if l == i18n.En {
		return "切换为简体中文"
	}
	return "Switch to English"
}

func whoLine(e Env) string {
	switch {
	case e.Org.Name == "":
		return e.Role
	case e.Role == "" || e.Ops:
		if e.Ops && e.Role != "" {
			return e.Role
		}
		return e.Org.Name
	}
	return e.Org.Name + " · " + e.Role
}

func (n NavItem) attrs() templ.Attributes {
	a := templ.Attributes{}
	if n.Current {
		a["aria-current"] = "page"
	}
	if n.Shortcut != "" {
		a["data-go"] = n.Shortcut
	}
	return a
}

// plainAreas are the areas without a menu, for the burger's panel.
func plainAreas(n Nav) NavGroup {
	g := NavGroup{Key: "layout.nav.common"}
	for _, a := range n.Areas {
		if len(a.Groups) == 0 {
			g.Items = append(g.Items, a.NavItem)
		}
	}
	return g
}

type shortcut struct {
	Keys []string
	Key  string
	Item *NavItem
}

func (k shortcut) text(ctx context.Context) string {
	if k.Item != nil {
		return k.Item.Text(ctx)
	}
	return i18n.T(ctx, k.Key)
}

// keyList is what the shortcuts dialog shows: the fixed keys and "g x" for every entry that has one.
func keyList(e Env) []shortcut {
	list := []shortcut{
		{Keys: []string{"?"}, Key: "layout.keys.help"}, {Keys: []string{"/"}, Key: "layout.keys.search"}, {Keys: []string{"Ctrl", "K"}, Key: "layout.keys.search"},
		{Keys: []string{"f"}, Key: "layout.keys.filter"},
		{Keys: []string{"j", "k"}, Key: "layout.keys.rows"}, {Keys: []string{"Enter"}, Key: "layout.keys.why"},
		{Keys: []string{"e"}, Key: "layout.keys.export"}, {Keys: []string{"Esc"}, Key: "layout.keys.escape"},
	}
	seen := map[string]bool{}
	add := func(n NavItem) {
		if n.Shortcut != "" && !seen[n.Shortcut] {
			seen[n.Shortcut] = true
			list = append(list, shortcut{Keys: []string{"g", n.Shortcut}, Item: &n})
		}
	}
	add(e.Messages)
	add(e.Exports)
	for _, a := range e.Nav.Areas {
		add(a.NavItem)
		for _, g := range a.Groups {
			for _, n := range g.Items {
				add(n)
			}
		}
	}
	return list
}

// PrintLine stands on top of a printout: whose it is, and what.
func PrintLine(ctx context.Context, title string) string {
	if org := From(ctx).Org.Name; org != "" {
		return org + " · " + title
	}
	return title
}
