package bill

import (
	"testing"

	"huoban/internal/flow/flowtest"
)

func TestFlow(t *testing.T) { flowtest.All(t, Flow, "bill", "state") }
