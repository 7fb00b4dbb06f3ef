package store

// Watch has fn told the name of every statement before it runs, nil to stop. It is how tests compare what
// two requests cost the database; fn is called from many goroutines.
func (db *DB) Watch(fn func(name string)) {
	if fn == nil {
		db.watch.Store(nil)
		return
	}
	db.watch.Store(&fn)
}

func (db *DB) tell(q Query) {
	if fn := db.watch.Load(); fn != nil {
		(*fn)(q.Name)
	}
}
