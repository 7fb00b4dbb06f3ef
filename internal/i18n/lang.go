package i18n

import (
	"context"
	"net/http"

	"golang.org/x/text/language"
)

// Lang is a language the portal speaks.
type Lang string

// The languages. ZhCN is the reference and the default.
const (
	ZhCN Lang = "zh-CN"
	En   Lang = "en"
)

// Langs lists them, the reference first.
var Langs = []Lang{ZhCN, En}

// Name is the language's own name, for the switch.
func (l Lang) Name() string {
	if l == En {
		return "English"
	}
	return "简体中文"
}

// Other is the language the switch leads to.
func (l Lang) Other() Lang {
	if l == En {
		return ZhCN
	}
	return En
}

type langKey struct{}

// With puts the language into the context.
func With(ctx context.Context, l Lang) context.Context { return context.WithValue(ctx, langKey{}, l) }

// From is the context's language, zh-CN if none was set.
func From(ctx context.Context) Lang {
	if l, ok := ctx.Value(langKey{}).(Lang); ok {
		return l
	}
	return ZhCN
}

// Parse reads an exact language name; ok is false for anything else.
func Parse(text string) (l Lang, ok bool) {
	for _, l := range Langs {
		if string(l) == text {
			return l, true
		}
	}
	return ZhCN, false
}

// Choose picks the language: the first explicit choice that names one (a person's setting, a cookie),
// else the first language of Accept-Language that is ours, else zh-CN.
func Choose(acceptLanguage string, explicit ...string) Lang {
	for _, e := range explicit {
		if l, ok := Parse(e); ok {
			return l
		}
	}
	tags, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return ZhCN
	}
	for _, tag := range tags { // sorted by preference; any Chinese is read as ours
		switch base, _ := tag.Base(); base.String() {
		case "zh":
			return ZhCN
		case "en":
			return En
		}
	}
	return ZhCN
}

// CookieName holds an explicit choice made before or without signing in.
const CookieName = "portal_lang"

// FromRequest picks the language of a request; personal is the person's own setting or "".
func FromRequest(r *http.Request, personal string) Lang {
	explicit := []string{personal}
	if c, err := r.Cookie(CookieName); err == nil {
		explicit = append(explicit, c.Value)
	}
	return Choose(r.Header.Get("Accept-Language"), explicit...)
}
