package store

import (
	"context"
	"errors"
	"slices"
)

// lateValue is what a transaction writes once, however often it changed.
type lateValue struct {
	key   any
	value any
	write func(ctx context.Context, value any) error
}

// Late gives what SetLate last kept under the key in the running transaction. Members that share a
// transaction see each other's, but nothing of one that was undone.
func (db *DB) Late(ctx context.Context, key any) (value any, ok bool) {
	if t := current(ctx, db); t != nil {
		for _, l := range t.late {
			if l.key == key {
				return l.value, true
			}
		}
	}
	return nil, false
}

// SetLate keeps a value for the end of the running transaction, where write is called once with the last
// one, before the commit. It is for a row that every transaction moves, such as the end of a chain.
func (db *DB) SetLate(ctx context.Context, key, value any, write func(ctx context.Context, value any) error) error {
	t := current(ctx, db)
	if t == nil || t.ro {
		return errors.New("store: a late value outside a writing transaction")
	}
	next := lateValue{key, value, write}
	t.late = slices.Clone(t.late) // those before belong to who may still be the last
	if at := slices.IndexFunc(t.late, func(l lateValue) bool { return l.key == key }); at >= 0 {
		t.late[at] = next
	} else {
		t.late = append(t.late, next)
	}
	return nil
}

// writeLate writes the late values of a transaction that is about to be committed.
func (t *liveTx) writeLate(ctx context.Context) error {
	for _, l := range t.late {
		if err := l.write(ctx, l.value); err != nil {
			return err
		}
	}
	return nil
}
