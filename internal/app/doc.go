// Package app puts the portal together: settings, database, services, commands' use cases, server.
//
// It owns wiring and nothing else; a rule found here belongs into a domain package.
package app

// Version is set by the build.
var Version = "dev"
