package app

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/draw"
	"image/png"

	"huoban/internal/cycle"
	"huoban/internal/statement"
)

// demoHead is a partner of the demo that sends statements, with its letter head and rules.
type demoHead struct {
	partner string
	head    statement.HeadInput
	mark    color.RGBA // of the logo
	rules   []statement.RuleInput
}

var demoHeads = []demoHead{
	{partner: "QIHENG", mark: color.RGBA{0x1f, 0x6f, 0xb5, 0xff}, head: statement.HeadInput{Name: "启珩数科有限公司", Address: "杭州市滨江区江虹路 88 号 6 层", Contact: "对账专线 0571-0000-6688 · billing@qiheng.example",
		Bank: "招商银行杭州滨江支行 571900000006688", Note: "请于收到对账单后 10 日内付款。如有疑问，请联系您的客户经理。", TaxPercent: "6"},
		rules: []statement.RuleInput{{Base: statement.BaseCost, Factor: "1.12"}, {Product: "对象存储", Base: statement.BaseBilled, Factor: "0.95"}, {Customer: "YUQIAO", Base: statement.BaseCost, Factor: "1.08"}}},
	{partner: "GUANGZHU", mark: color.RGBA{0x0e, 0x7a, 0x5f, 0xff}, head: statement.HeadInput{Name: "广渚数字分销有限公司", Address: "广州市天河区珠江东路 16 号", Contact: "020-0000-1616", Bank: "工商银行广州天河支行 360200000001616",
		TaxPercent: "6"}, rules: []statement.RuleInput{{Base: statement.BaseBilled, Factor: "0.98"}}},
}

// state lets partners issue the statements of a cycle; the older cycle is sent too. Done twice it changes nothing.
func (m *demoMaker) state(ctx context.Context, c cycle.Cycle) error {
	for _, d := range demoHeads {
		if m.owned(d.partner) == 0 {
			continue
		}
		if err := m.stateOf(ctx, c, d); err != nil {
			return err
		}
	}
	return nil
}

// owned counts the customers of a partner in this world.
func (m *demoMaker) owned(partner string) (n int) {
	for i := range m.world.Customers {
		if m.world.Customers[i].Partner == partner {
			n++
		}
	}
	return n
}

func (m *demoMaker) stateOf(ctx context.Context, c cycle.Cycle, d demoHead) error {
	ctx, sc, err := m.app.Operator(ctx, lower(d.partner)+"-finance", "demo")
	if err != nil {
		return err
	}
	s := m.app.Statements
	if d.head.Logo, err = demoLogo(d.mark); err != nil {
		return err
	}
	if _, err := s.SaveHead(ctx, sc, d.head); err != nil {
		return err
	}
	for _, r := range d.rules {
		if r.Customer != "" && m.world.Customer(r.Customer) == nil {
			continue
		}
		if _, err := s.SaveRule(ctx, sc, r); err != nil {
			return err
		}
	}
	if _, err := s.Draft(ctx, sc, c); err != nil {
		return err
	}
	if _, err := s.DoAll(ctx, sc, c, statement.ActionIssue); err != nil {
		return err
	}
	if over := m.world.Over(); len(over) >= 3 && c == over[len(over)-3] {
		_, err = s.DoAll(ctx, sc, c, statement.ActionSend)
	}
	return err
}

// demoLogo paints a mark: two overlapping squares.
func demoLogo(mark color.RGBA) ([]byte, error) {
	picture := image.NewRGBA(image.Rect(0, 0, 240, 120))
	draw.Draw(picture, picture.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(picture, image.Rect(10, 10, 80, 80), image.NewUniform(mark), image.Point{}, draw.Src)
	light := color.RGBA{mark.R/2 + 127, mark.G/2 + 127, mark.B/2 + 127, 0xff}
	draw.Draw(picture, image.Rect(45, 45, 115, 115), image.NewUniform(light), image.Point{}, draw.Src)
	draw.Draw(picture, image.Rect(130, 50, 230, 70), image.NewUniform(mark), image.Point{}, draw.Src)
	var out bytes.Buffer
	err := png.Encode(&out, picture)
	return out.Bytes(), err
}
