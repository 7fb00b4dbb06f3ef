//go:build !linux

package app

// forgetProgram is for systems that count a program's own pages as its memory.
func forgetProgram() {}
