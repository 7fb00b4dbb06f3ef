package signview

import "huoban/web/templates/part"

var signLabels = []string{"signview.signin.login", "signview.signin.password"}

func labelled(f part.Field, label string) part.Field {
	f.Label = label
	return f
}

func codeField(label, help, problem string) part.Field {
	return part.Field{
		Name: "code", Label: label, Help: help, Error: problem, Autocomplete: "one-time-code", Numeric: true, MaxLength: 7, Required: true,
		Focus: help != "",
	}
}

func back(href string) string {
	if href == "" {
		return "/login"
	}
	return href
}
