package messagestore_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/message"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/messagestore"
	"huoban/internal/store/storetest"
)

// What a person switched off is not told there, to nobody else and nowhere else; what may not be off is told.
func TestSettings(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, c := context.Background(), clock.At(start)
		box := message.New(db, messagestore.New(db), c)
		lin, elsewhere := scope.Partner("P1", "lin", "lin", nil, nil), scope.Partner("P2", "lin", "lin", nil, nil)
		orders := message.Way{Category: message.CategoryOrder, Channel: message.ChannelBell}
		letters := message.Way{Category: message.CategoryBill, Channel: message.ChannelMail}
		set := message.Settings{Off: []message.Way{letters, orders}, Language: "en", Zone: "-05:00"}
		for range 2 {
			if err := box.SetSettings(ctx, lin, set); err != nil {
				t.Fatal(err)
			}
		}
		got, err := box.Settings(ctx, lin)
		if err != nil || got.Language != "en" || got.Zone != "-05:00" || !slices.Equal(got.Off, set.Off) || got.On(orders) || got.On(letters) || !got.On(message.Way{Category: message.CategoryOrder, Channel: message.ChannelMail}) {
			t.Errorf("%+v %v", got, err)
		}
		if other, err := box.Settings(ctx, elsewhere); err != nil || len(other.Off) > 0 || other.Language != "en" || other.Zone != "-05:00" {
			t.Errorf("in another organisation: %+v %v", other, err)
		}
		for code, bad := range map[string]message.Settings{
			"message.mandatory":        {Language: "en", Off: []message.Way{{Category: message.CategorySystem, Channel: message.ChannelMail}}},
			"message.way_unknown":      {Language: "en", Off: []message.Way{{Category: "gossip", Channel: message.ChannelMail}}},
			"message.language_unknown": {Language: "fr"},
			"message.zone_unknown":     {Language: "en", Zone: "Mars"},
		} {
			if err := box.SetSettings(ctx, lin, bad); !fault.HasCode(err, code) {
				t.Errorf("%v, want %s", err, code)
			}
		}
		order := notice("lin", 1)
		order.Category = message.CategoryOrder
		there := order
		there.OrgID = "P2"
		if err := tell(t, db, box, order, there, notice("lin", 2)); err != nil {
			t.Fatal(err)
		}
		for sc, want := range map[string]int64{"P1": 1, "P2": 1} {
			if n, err := box.Unread(ctx, scope.Partner(sc, "lin", "lin", nil, nil)); err != nil || n != want {
				t.Errorf("%s: %d %v", sc, n, err)
			}
		}
	})
}

// A word is looked for in what a notice names and in its sentence.
func TestFilterByText(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, c := context.Background(), clock.At(start)
		box := message.New(db, messagestore.New(db), c)
		lin := scope.Partner("P1", "lin", "lin", nil, nil)
		a, b := notice("lin", 1), notice("lin", 2)
		a.Args, b.Code, b.Args = fault.Args{"Vendor": "Nova Cloud", "Share": "5%"}, "file.done", fault.Args{"file": "账单_2026.csv"}
		if err := tell(t, db, box, a, b); err != nil {
			t.Fatal(err)
		}
		c.Set(start.Add(time.Minute))
		for _, x := range []struct {
			f    message.Filter
			want int
		}{{message.Filter{Text: "nova"}, 1}, {message.Filter{Text: "账单_2026"}, 1}, {message.Filter{Text: "nothing"}, 0}, {message.Filter{Text: "nothing", Codes: []string{"file.done"}}, 1},
			{message.Filter{Text: "%"}, 2}, {message.Filter{Text: `\`}, 2}, {message.Filter{Text: "NOVA", Category: message.CategorySystem}, 0}} {
			page, err := box.List(ctx, lin, x.f, message.Cursor{}, 10)
			n, wrong := box.Count(ctx, lin, x.f)
			if err != nil || wrong != nil || len(page.Messages) != x.want || n != int64(x.want) {
				t.Errorf("%+v: %d rows, %d counted, %v %v", x.f, len(page.Messages), n, err, wrong)
			}
		}
	})
}
