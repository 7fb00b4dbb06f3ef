package storetest_test

import (
	"os"
	"strings"
	"testing"

	"huoban/internal/store"
	_ "huoban/internal/store/accountstore"
	_ "huoban/internal/store/anomalystore"
	_ "huoban/internal/store/auditstore"
	_ "huoban/internal/store/billstore"
	_ "huoban/internal/store/closestore"
	_ "huoban/internal/store/companystore"
	_ "huoban/internal/store/contractstore"
	_ "huoban/internal/store/couponstore"
	_ "huoban/internal/store/deskstore"
	_ "huoban/internal/store/expenditurestore"
	_ "huoban/internal/store/exportstore"
	_ "huoban/internal/store/flowstore"
	_ "huoban/internal/store/growstore"
	_ "huoban/internal/store/hostedstore"
	_ "huoban/internal/store/idemstore"
	_ "huoban/internal/store/invoicestore"
	_ "huoban/internal/store/jobstore"
	_ "huoban/internal/store/ledgerstore"
	_ "huoban/internal/store/liststore"
	_ "huoban/internal/store/messagestore"
	_ "huoban/internal/store/newsstore"
	_ "huoban/internal/store/noticestore"
	_ "huoban/internal/store/orgstore"
	_ "huoban/internal/store/passcodestore"
	_ "huoban/internal/store/peakstore"
	_ "huoban/internal/store/reconcilestore"
	_ "huoban/internal/store/sessionstore"
	_ "huoban/internal/store/signonstore"
	_ "huoban/internal/store/ssostore"
	_ "huoban/internal/store/statementstore"
	"huoban/internal/store/storetest"
	_ "huoban/internal/store/subscriptionstore"
	_ "huoban/internal/store/usagestore"
	_ "huoban/internal/store/withdrawalstore"
)

// TestPrepareAll prepares every query of every area on both engines.
func TestPrepareAll(t *testing.T) {
	storetest.Each(t, storetest.PrepareAll)
}

// TestEveryAreaIsHere fails when an area of the store is not among the imports above.
func TestEveryAreaIsHere(t *testing.T) {
	self, err := os.ReadFile("all_test.go")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasSuffix(e.Name(), "store") {
			continue
		}
		if files, _ := os.ReadDir("../" + e.Name() + "/query"); len(files) > 0 && !strings.Contains(string(self), `store/`+e.Name()+`"`) {
			t.Errorf("area %s is not imported", e.Name())
		}
	}
	if queries, _ := store.All(); len(queries) == 0 {
		t.Error("no queries")
	}
}
