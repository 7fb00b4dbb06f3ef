package storetest

import (
	"testing"

	"huoban/internal/store"
)

func TestMigrate(t *testing.T) {
	Each(t, func(t *testing.T, db *store.DB) {
		if db.Engine() == "" {
			t.Fatal("no engine")
		}
	})
}
