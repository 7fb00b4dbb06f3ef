package e2e

import (
	"testing"

	"huoban/internal/app"
)

func TestBrowser(t *testing.T) {
	browser := chromium(t)
	w := demoWorld(t, app.DemoSize{Months: 8, Customers: 9})
	t.Run("keyboard 1440", func(t *testing.T) { testKeyboard(t, w, browser, desk) })
	t.Run("keyboard 390", func(t *testing.T) { testKeyboard(t, w, browser, phone) })
	t.Run("tour", func(t *testing.T) { testTour(t, w, browser) })
	t.Run("manager", func(t *testing.T) { testManagerDay(t, w, browser) })
	t.Run("supervisor", func(t *testing.T) { testSupervisor(t, w, browser) })
	t.Run("registering", func(t *testing.T) { testRegistering(t, w, browser) })
	t.Run("statement", func(t *testing.T) { testStatementRead(t, w, browser) })
	t.Run("role", func(t *testing.T) { testRoleMaker(t, w, browser) })
	t.Run("invoice", func(t *testing.T) { testInvoice(t, w, browser) })
	t.Run("walk", func(t *testing.T) { testWalk(t, w, browser) })
}
