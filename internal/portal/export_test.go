package portal

import "slices"

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
