// Package portal is the HTML edge: routes, middleware, handlers and the props of pages.
//
// It owns what a URL means and which permission it needs (one table, routes.go), and turns faults into
// pages. It does not own rules, SQL or markup.
//
// Invariants: every route stands in the table with its permission or is public; the organisation stands
// in the URL, so two tabs with two organisations never mix; a page is rendered to a buffer before the
// first byte goes out; a foreign id answers exactly as an absent one.
package portal
