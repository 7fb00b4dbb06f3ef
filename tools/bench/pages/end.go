package main

import (
	"os"
	"os/signal"
	"syscall"
)

// told is closed when the process is asked to end.
func told() <-chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM, os.Interrupt)
	return c
}
