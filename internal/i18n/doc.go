// Package i18n turns keys into sentences and values into text.
//
// It owns the catalogues (catalog/<area>.<language>.json, one pair per area), the choice of language
// and the written form of money, counts, dates and cycles. It does not own any sentence of the domain:
// faults arrive as a code and named arguments and are put into words here, at the edge.
//
// Invariants: the language comes from the context only, never from shared state; zh-CN is the
// reference and en matches it key for key; a key that is missing shows itself, which tests refuse.
package i18n
