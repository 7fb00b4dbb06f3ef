package delivery

import (
	"testing"

	"huoban/internal/flow/flowtest"
	"huoban/internal/scope"
)

func TestMachine(t *testing.T) {
	flowtest.All(t, Flow, "delivery", "state")
	who := scope.Vendor("v", "p1", "lin", []scope.Item{scope.ItemDeliveryRevert})
	flowtest.Guards(t, Flow, map[string]flowtest.Examples[Facts]{
		"cycles_open": {Pass: flowtest.Example[Facts]{Who: who}, Refuse: flowtest.Example[Facts]{Facts: Facts{NotOpen: "2026-01"}, Who: who}},
		"newest":      {Pass: flowtest.Example[Facts]{Who: who}, Refuse: flowtest.Example[Facts]{Facts: Facts{Replaced: true}, Who: who}},
	})
}
