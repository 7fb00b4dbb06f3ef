package calendar

import (
	"fmt"
	"strings"
	"sync"
)

// arrangement is a year as the State Council published it: first and last day off and the holiday's name, and
// after + the days worked for it. A year whose line begins with ~ has the days of the law alone: its
// arrangement was not published when this program was made.
//
// Spec: 国务院办公厅关于2024年、2025年、2026年部分节假日安排的通知, 国办发明电〔2023〕7号, 〔2024〕12号, 〔2025〕7号;
// 全国年节及纪念日放假办法 (2024).
const arrangement = `
2024 new_year 0101 | spring 0210-0217 +0204 +0218 | qingming 0404-0406 +0407 | labour 0501-0505 +0428 +0511 | dragon_boat 0610 | mid_autumn 0915-0917 +0914 | national 1001-1007 +0929 +1012
2025 new_year 0101 | spring 0128-0204 +0126 +0208 | qingming 0404-0406 | labour 0501-0505 +0427 | dragon_boat 0531-0602 | national 1001-1008 +0928 +1011
2026 new_year 0101-0103 +0104 | spring 0215-0223 +0214 +0228 | qingming 0404-0406 | labour 0501-0505 +0509 | dragon_boat 0619-0621 | mid_autumn 0925-0927 | national 1001-1007 +0920 +1010
~2027 new_year 0101 | spring 0205-0208 | qingming 0405 | labour 0501-0502 | dragon_boat 0609 | mid_autumn 0915 | national 1001-1003
`

// Notices are the numbers of the notices the arrangement was taken from, by year.
var Notices = map[int]string{2024: "国办发明电〔2023〕7号", 2025: "国办发明电〔2024〕12号", 2026: "国办发明电〔2025〕7号"}

// Holidays are the names of the shipped holidays; each has a text "calendar.holiday.<name>".
var Holidays = []string{"new_year", "spring", "qingming", "labour", "dragon_boat", "mid_autumn", "national"}

// Shipped is the calendar the program brings.
var Shipped = sync.OnceValue(func() *Calendar {
	c := &Calendar{days: map[Day]Special{}, years: map[int]Standing{}}
	for line := range strings.Lines(arrangement) {
		if line = strings.TrimSpace(line); line != "" {
			c.read(line)
		}
	}
	return c
})

// read takes one line of the arrangement; it is the program's own text, which a test reads whole.
func (c *Calendar) read(line string) {
	standing := StandingPublished
	if rest, statutory := strings.CutPrefix(line, "~"); statutory {
		line, standing = rest, StandingStatutory
	}
	text, line, _ := strings.Cut(line, " ")
	var year int
	if _, err := fmt.Sscanf(text, "%d", &year); err != nil {
		panic("calendar: the year of " + text)
	}
	c.years[year] = standing
	for _, holiday := range strings.Split(line, "|") {
		words := strings.Fields(holiday)
		for _, w := range words[1:] {
			kind := KindRest
			if made, work := strings.CutPrefix(w, "+"); work {
				w, kind = made, KindWork
			}
			first, last, span := strings.Cut(w, "-")
			if !span {
				last = first
			}
			for d := dayIn(text, first); d <= dayIn(text, last); d = d.Next(1) {
				c.days[d] = Special{Day: d, Kind: kind, Name: words[0]}
			}
		}
	}
}

func dayIn(year, monthDay string) Day {
	d, ok := ParseDay(year + "-" + monthDay[:2] + "-" + monthDay[2:])
	if !ok {
		panic("calendar: no day " + monthDay)
	}
	return d
}
