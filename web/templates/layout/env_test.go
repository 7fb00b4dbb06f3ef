package layout

import (
	"context"
	"testing"
)

func TestFromIsSafeWithoutEnv(t *testing.T) {
	e := From(context.Background())
	if e.Theme != ThemeAuto || e.HomeHref != "/" || e.Person != "" {
		t.Errorf("the empty Env is %+v", e)
	}
}

func TestSafeNextStaysHere(t *testing.T) {
	for in, want := range map[string]string{
		"/o/LX/bills?cycle=2026-10": "/o/LX/bills?cycle=2026-10", "": "/", "//evil.example": "/", "https://evil.example/": "/",
		`/\evil.example`: "/", "javascript:alert(1)": "/", "bills": "/", "/": "/",
	} {
		if got := SafeNext(in); got != want {
			t.Errorf("SafeNext(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestParseTheme(t *testing.T) {
	for in, want := range map[string]Theme{"dark": ThemeDark, "light": ThemeLight, "": ThemeAuto, "x": ThemeAuto} {
		if got := ParseTheme(in); got != want {
			t.Errorf("ParseTheme(%q) = %q", in, got)
		}
	}
}
