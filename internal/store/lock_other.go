//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package store

import "context"

// lockFile does nothing where files cannot be locked this way; an import that another process takes over
// then stops by itself.
func lockFile(context.Context, string) (func(), error) { return func() {}, nil }
