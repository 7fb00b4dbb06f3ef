package app

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// forgetProgram lets go of the pages of the program itself that only the start or a burst of work read. They
// are copies of its file, which the system reads again, most often from its own cache, when they are
// needed. Nothing is lost: only mappings that cannot be written and hold no page of this process's own are
// touched.
func forgetProgram() {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer f.Close()
	var from, to uintptr
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if size, ok := strings.CutPrefix(line, "Anonymous:"); ok {
			if to > from && strings.Fields(size)[0] == "0" {
				_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, from, to-from, syscall.MADV_DONTNEED)
			}
			from, to = 0, 0
			continue
		}
		if strings.HasSuffix(line, " "+program) {
			from, to = span(line)
		}
	}
}

// span reads the addresses of a mapping that is read and never written; others have none.
func span(line string) (from, to uintptr) {
	parts := strings.Fields(line)
	if len(parts) < 2 || len(parts[1]) < 2 || parts[1][0] != 'r' || parts[1][1] != '-' {
		return 0, 0
	}
	a, b, _ := strings.Cut(parts[0], "-")
	low, err := strconv.ParseUint(a, 16, 64)
	if err != nil {
		return 0, 0
	}
	high, err := strconv.ParseUint(b, 16, 64)
	if err != nil {
		return 0, 0
	}
	return uintptr(low), uintptr(high)
}
