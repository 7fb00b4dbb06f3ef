package usagestore

import (
	"context"
	"time"

	"huoban/internal/store"
)

var (
	keptFile        = set.Get("kept.File")
	keptInsertFile  = set.Get("kept.InsertFile")
	keptInsertChunk = set.Get("kept.InsertChunk")
	keptChunk       = set.Get("kept.Chunk")
	keptChunkOfLine = set.Get("kept.ChunkOfLine")
	keptDropChunks  = set.Get("kept.DeleteUnusedChunks")
	keptDropFile    = set.Get("kept.DeleteUnusedFile")
)

// KeptFile tells how a kept body is laid out; ok is false if it is not kept, or not completely.
func (s *Store) KeptFile(ctx context.Context, sha string) (bytes, chunks int64, ok bool, err error) {
	err = s.db.Row(ctx, keptFile, "delivery.file_not_kept", []any{sha}, &bytes, &chunks)
	if missing(err) {
		return 0, 0, false, nil
	}
	return bytes, chunks, err == nil, err
}

// KeepChunk writes one compressed piece; a piece that is there already stays.
func (s *Store) KeepChunk(ctx context.Context, sha string, no, firstLine int64, body []byte) error {
	_, err := s.db.Exec(ctx, keptInsertChunk, sha, no, firstLine, body)
	return err
}

// KeepFile declares a body complete.
func (s *Store) KeepFile(ctx context.Context, sha string, bytes, chunks int64, at time.Time) error {
	_, err := s.db.Exec(ctx, keptInsertFile, sha, bytes, chunks, store.At(at))
	return err
}

// Chunk reads one compressed piece.
func (s *Store) Chunk(ctx context.Context, sha string, no int64) (firstLine int64, body []byte, err error) {
	err = s.db.Row(ctx, keptChunk, "delivery.file_not_kept", []any{sha, no}, &firstLine, &body)
	return firstLine, body, err
}

// ChunkOfLine finds the piece that holds a physical line; ok is false for bodies without lines.
func (s *Store) ChunkOfLine(ctx context.Context, sha string, line int64) (no int64, ok bool, err error) {
	err = s.db.Row(ctx, keptChunkOfLine, "delivery.file_not_kept", []any{sha, line}, &no)
	if missing(err) {
		return 0, false, nil
	}
	return no, err == nil, err
}

// DropUnused removes bodies no delivery names any more.
func (s *Store) DropUnused(ctx context.Context, shas []string) error {
	for _, sha := range shas {
		if _, err := s.db.Exec(ctx, keptDropChunks, sha); err != nil {
			return err
		}
		if _, err := s.db.Exec(ctx, keptDropFile, sha); err != nil {
			return err
		}
	}
	return nil
}
