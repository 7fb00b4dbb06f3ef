package statement

import (
	"testing"

	"huoban/internal/flow/flowtest"
	"huoban/internal/scope"
)

func TestGuards(t *testing.T) {
	ours, theirs := scope.Partner("p", "person", "lin", issuers, nil), scope.Partner("q", "person", "mei", issuers, nil)
	limited := ours.Limited(nil)
	flowtest.Guards(t, Flow, map[string]flowtest.Examples[Facts]{
		"partner_own":   {Pass: flowtest.Example[Facts]{Facts: Facts{PartnerID: "p"}, Who: ours}, Refuse: flowtest.Example[Facts]{Facts: Facts{PartnerID: "p"}, Who: theirs}},
		"head_set":      {Pass: flowtest.Example[Facts]{Facts: Facts{HeadNow: 1}}, Refuse: flowtest.Example[Facts]{}},
		"rules_current": {Pass: flowtest.Example[Facts]{Facts: Facts{RuleSeq: 2, BookSeq: 2}}, Refuse: flowtest.Example[Facts]{Facts: Facts{RuleSeq: 1, BookSeq: 2}}},
	})
	if partnerOwn.Holds(Facts{PartnerID: "p"}, limited, flowtest.Example[Facts]{}.Now) {
		t.Error("who sees some customers decides about all")
	}
}
