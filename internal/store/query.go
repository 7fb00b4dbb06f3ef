package store

import (
	"fmt"
	"io/fs"
	"regexp"
	"sort"
	"strings"
)

// Query is one named SQL text, the same for both engines.
type Query struct{ Name, Text string }

// Set is the queries of one area, loaded from its query/*.sql files; blocks begin with
// "-- name: noun.Verb".
type Set struct {
	byName map[string]Query
	taken  map[string]bool
}

var (
	blockHead = regexp.MustCompile(`(?m)^-- name: (\S+)[^\n]*\n`)
	allSets   []*Set
)

// Load reads every block of query/*.sql; it panics on a double or empty name, because this happens
// while the program starts and is a mistake in the source.
func Load(files fs.FS) *Set {
	s := &Set{byName: map[string]Query{}, taken: map[string]bool{}}
	paths, err := fs.Glob(files, "query/*.sql")
	if err != nil || len(paths) == 0 {
		panic("store: no query files")
	}
	for _, p := range paths {
		body, err := fs.ReadFile(files, p)
		if err != nil {
			panic(err)
		}
		heads := blockHead.FindAllSubmatchIndex(body, -1)
		for i, h := range heads {
			end := len(body)
			if i+1 < len(heads) {
				end = heads[i+1][0]
			}
			name, text := string(body[h[2]:h[3]]), strings.TrimSpace(string(body[h[1]:end]))
			if _, twice := s.byName[name]; twice || text == "" {
				panic(fmt.Sprintf("store: query %s in %s is double or empty", name, p))
			}
			s.byName[name] = Query{name, "-- " + name + "\n" + strings.TrimSuffix(text, ";")}
		}
	}
	allSets = append(allSets, s)
	return s
}

// Get takes a query by name for a package variable; an unknown name panics at start.
func (s *Set) Get(name string) Query {
	q, ok := s.byName[name]
	if !ok {
		panic("store: no query " + name)
	}
	s.taken[name] = true
	return q
}

// All lists every loaded query in order of name, and those no package variable has taken.
func All() (queries []Query, unused []string) {
	for _, s := range allSets {
		for n, q := range s.byName {
			queries = append(queries, q)
			if !s.taken[n] {
				unused = append(unused, n)
			}
		}
	}
	sort.Slice(queries, func(i, j int) bool { return queries[i].Name < queries[j].Name })
	sort.Strings(unused)
	return queries, unused
}

// In writes a list of placeholders "$from, $from+1, …" for n values, for queries built from a
// fixed text with one list; n must be at least 1.
func In(from, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", from+i)
	}
	return b.String()
}
