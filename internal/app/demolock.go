package app

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// lockDemo lets one process make the demo; another waits for it. The lock ends with its process.
func (a *App) lockDemo(ctx context.Context) (func(), error) {
	f, err := os.OpenFile(a.DataFile("demo.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			_ = f.Close()
			return nil, err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			_ = f.Close()
			return nil, ctx.Err()
		}
	}
}
