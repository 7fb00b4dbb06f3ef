package adjustment

import (
	"testing"

	"huoban/internal/flow/flowtest"
	"huoban/internal/scope"
)

func TestMachine(t *testing.T) {
	flowtest.All(t, Flow, "adjustment", "state")
	items := []scope.Item{scope.ItemAdjustmentApprove}
	lin, mei := scope.Vendor("v", "p1", "lin", items), scope.Vendor("v", "p2", "mei", items)
	flowtest.Guards(t, Flow, map[string]flowtest.Examples[Facts]{
		"second_person": {Pass: flowtest.Example[Facts]{Facts: Facts{CreatedBy: "lin"}, Who: mei},
			Refuse: flowtest.Example[Facts]{Facts: Facts{CreatedBy: "lin"}, Who: lin}},
	})
}
