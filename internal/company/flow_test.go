package company

import (
	"testing"

	"huoban/internal/flow/flowtest"
	"huoban/internal/scope"
)

func TestMachine(t *testing.T) {
	flowtest.All(t, Flow, "company_change", "state")
	items := []scope.Item{scope.ItemProfileChange}
	flowtest.Guards(t, Flow, map[string]flowtest.Examples[Facts]{
		"its_own": {Pass: flowtest.Example[Facts]{Facts: Facts{OrgID: "p"}, Who: scope.Partner("p", "1", "lin", items, nil)},
			Refuse: flowtest.Example[Facts]{Facts: Facts{OrgID: "p"}, Who: scope.Partner("q", "1", "lin", items, nil)}},
	})
}
