// Package transfer moves a whole database into another one of either engine and proves that nothing
// changed on the way.
//
// It owns the canonical form of a table: its rows in the order of their primary key, columns in the order
// of their names, each value written the same whatever engine it comes from. It does not own a file
// format (see backup). Invariant: the target is empty before and holds everything or nothing after.
package transfer
