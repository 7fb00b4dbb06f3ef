//go:build onelock

package main

// The portal is never built without the second lock of SAML sign-ins: this does not compile.
var _ = theSecondLockIsMissing
