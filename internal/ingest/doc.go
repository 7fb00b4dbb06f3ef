// Package ingest reads cost exports: it finds the parts of a delivery, opens them, tells which cloud
// wrote them and turns each row into a usage.Line or a quarantined row.
//
// It owns archives and their limits, text encodings, the CSV splitter, the dialects (which column
// means what), line keys and the recognition of amortised files. It does not own what happens to the
// lines: numbering equal ones, storing, replacing and reverting belong to delivery; who consumed
// belongs to attribution.
//
// Invariants: everything streams, so memory does not grow with the file; a row that cannot be read
// never stops the file and a file that cannot be trusted never yields a delivery; amounts keep every
// delivered digit; the line number is the physical line on which the record begins.
package ingest
