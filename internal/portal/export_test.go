package portal

import (
	"slices"

	"huoban/internal/i18n"
)

// ListKinds are the lists and the pages that show them.
func ListKinds() map[string]string {
	out := map[string]string{}
	for kind, l := range lists {
		out[kind] = l.route
	}
	return out
}

// Titled tells whether a route is a page.
func Titled(name string) bool {
	return slices.ContainsFunc(table(), func(r Route) bool { return r.Name == name && r.Title != "" })
}

// NoList is what the row of a page says it shows in place of a list.
func NoList(name string) string {
	routes := table()
	return routes[slices.IndexFunc(routes, func(r Route) bool { return r.Name == name })].NoList
}

// LineColumns are the columns that can be chosen of lists with templates of their own, by list.
func LineColumns() map[string][]string {
	out := map[string][]string{}
	for kind, columns := range lineColumns {
		for _, x := range columns {
			out[kind] = append(out[kind], x.key)
		}
	}
	return out
}

// KeepShells bounds the shells that portals made from now on keep, until it is undone.
func KeepShells(n int) (undo func()) {
	was := maxShells
	maxShells = n
	return func() { maxShells = was }
}

// DeskFaults are the mistakes of the table of what waits at the desk.
func DeskFaults() []string {
	var out []string
	for i := range deskSources {
		s := &deskSources[i]
		if !i18n.Has("desk.kind." + s.kind) {
			out = append(out, s.kind+" has no words")
		}
		if !slices.Contains(deskRoles, s.role) {
			out = append(out, s.kind+" stands in no inbox")
		}
		if s.machine == nil {
			if len(s.acts) > 0 || len(s.states) > 0 {
				out = append(out, s.kind+" has acts or states but no machine")
			}
			continue
		}
		d := s.machine.Describe()
		if len(s.states) == 0 || len(s.items) == 0 {
			out = append(out, s.kind+" names no states that wait, or nobody who decides")
		}
		if !slices.ContainsFunc(s.states, func(state string) bool { return d.Within[state] > 0 }) {
			out = append(out, s.kind+": none of its states has a service time")
		}
		for _, state := range s.states {
			if !slices.Contains(d.States, state) || slices.Contains(d.Final, state) {
				out = append(out, s.kind+": "+state+" is no state of "+d.Machine+" that can wait")
			}
		}
		for _, a := range s.acts {
			if !i18n.Has("desk.verdict." + a.verdict) {
				out = append(out, s.kind+": no words for "+a.verdict)
			}
		}
	}
	return out
}
