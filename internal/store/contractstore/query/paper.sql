-- name: paper.Of
SELECT subject_id, vendor_id, partner_id, format, bytes, sha, uploaded_by, uploaded_at FROM paper WHERE subject_id = $1;

-- name: paper.Put
INSERT INTO paper (subject_id, vendor_id, partner_id, format, bytes, sha, uploaded_by, uploaded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (subject_id) DO UPDATE SET format = excluded.format, bytes = excluded.bytes, sha = excluded.sha, uploaded_by = excluded.uploaded_by, uploaded_at = excluded.uploaded_at;

-- name: paper.DropPieces
DELETE FROM paper_piece WHERE subject_id = $1;

-- name: paper.PutPiece
INSERT INTO paper_piece (subject_id, piece_no, body) VALUES ($1, $2, $3);

-- name: paper.Pieces
SELECT body FROM paper_piece WHERE subject_id = $1 ORDER BY piece_no;
