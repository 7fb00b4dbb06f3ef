package e2e

import (
	"testing"
)

func TestBrowser(t *testing.T) {
	browser := chromium(t)
	w := newWorld(t, "")
	t.Run("keyboard 1440", func(t *testing.T) { testKeyboard(t, w, browser, desk) })
	t.Run("keyboard 390", func(t *testing.T) { testKeyboard(t, w, browser, phone) })
	t.Run("walk", func(t *testing.T) { testWalk(t, w, browser) })
}
