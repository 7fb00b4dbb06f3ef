package closing

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"huoban/internal/app"
	"huoban/internal/monthclose"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/tools/bench/kit"
)

// settings are those of a data folder, or of a PostgreSQL database with the folder beside it.
func settings(target string) app.Settings {
	if !store.IsURL(target) {
		return app.Settings{Data: target}
	}
	return app.Settings{Data: filepath.Join(os.Getenv("BENCH_WORK"), "close-postgres"), DB: target}
}

// closeMonth walks the largest month to its end: issued, or on PostgreSQL the draft, which is thrown away
// again without being measured.
func closeMonth(ctx context.Context, args []string) (map[string]float64, error) {
	a, err := app.Open(ctx, settings(args[0]), app.Options{})
	if err != nil {
		return nil, err
	}
	defer a.Close()
	vendor, c, lines, err := kit.LargestMonth(ctx, a)
	if err != nil {
		return nil, err
	}
	kept := store.IsURL(args[0])
	sc := scope.System("operator")
	begin := time.Now()
	res, err := a.Closes.Run(ctx, sc, monthclose.Input{VendorID: vendor, Cycle: c, Issue: !kept})
	if err != nil {
		return nil, err
	}
	seconds := time.Since(begin).Seconds()
	var billed int64
	for i := range res.Documents {
		billed += res.Documents[i].LineCount
	}
	if billed != lines {
		return nil, fmt.Errorf("%d of %d lines are billed", billed, lines)
	}
	if kept {
		if _, err := a.Closes.Run(ctx, sc, monthclose.Input{VendorID: vendor, Cycle: c, Discard: true}); err != nil {
			return nil, err
		}
		if _, err := a.Closes.Run(ctx, sc, monthclose.Input{VendorID: vendor, Cycle: c, Discard: true}); err != nil {
			return nil, err
		}
	}
	rss, err := kit.PeakRSS()
	return map[string]float64{"seconds": seconds, "rss": rss}, err
}

// estimate shows the bills of the open month for the first time in this process.
func estimate(ctx context.Context, args []string) (map[string]float64, error) {
	a, err := app.Open(ctx, settings(args[0]), app.Options{})
	if err != nil {
		return nil, err
	}
	defer a.Close()
	vendor, c, _, err := kit.LargestMonth(ctx, a)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	docs, err := a.Closes.Estimate(ctx, scope.System("operator"), vendor, c)
	if err == nil && len(docs) == 0 {
		err = fmt.Errorf("no estimate")
	}
	return map[string]float64{"seconds": time.Since(begin).Seconds()}, err
}
