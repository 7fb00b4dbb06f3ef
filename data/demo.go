package data

import "embed"

// Demo holds the tables of the demo world.
//
//go:embed demo/*.csv
var Demo embed.FS
