// Package backup writes a whole database into one file while it is in use, and restores such a file into
// an empty database of either engine.
//
// It owns the file format; the canonical form of tables is transfer's. The file holds, in this order:
//
//	mark      16 bytes "PORTAL-BACKUP-1\n"
//	body      one zstd stream; for each table its name, the number of its columns and their names (each
//	          text as uvarint length and bytes), then for each row a byte 1 and its values in canonical
//	          form, then a byte 0; after the last table an empty name
//	manifest  JSON: format, schema_version, engine, taken_at, rows, digest, and per table rows, sums, digest
//	footer    length of body and of manifest (8 bytes each, big-endian), SHA-256 of all that stands
//	          before it in the file and of the two lengths, 8 bytes "PBACKEND"
//
// Tables come so that each stands after those it refers to. Invariants: the rows are one snapshot; the
// whole file is checked before the target is touched; a restore leaves everything or nothing.
package backup
