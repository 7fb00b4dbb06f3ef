//go:build tools

// Package lint pins the linters apart from the program's own modules.
package lint

import _ "honnef.co/go/tools/cmd/staticcheck"
