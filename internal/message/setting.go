package message

import (
	"context"
	"slices"

	"huoban/internal/fault"
	"huoban/internal/scope"
)

// Channel is a way a person is told something.
type Channel string

// The channels: 站内信, 邮件 and 短信, which a person asks for.
const (
	ChannelBell Channel = "bell"
	ChannelMail Channel = "mail"
	ChannelText Channel = "text"
)

// Channels in the order of the settings.
var Channels = []Channel{ChannelBell, ChannelMail, ChannelText}

// Label is the key of the channel's name.
func (c Channel) Label() string { return "message.channel." + string(c) }

// Way is a category on a channel.
type Way struct {
	Category Category
	Channel  Channel
}

// mandatory ways cannot be switched off, because deadlines and the safety of accounts depend on them.
var mandatory = []Way{{CategoryBill, ChannelBell}, {CategorySystem, ChannelBell}, {CategorySystem, ChannelMail}}

// Mandatory tells whether a way cannot be switched off.
func Mandatory(w Way) bool { return slices.Contains(mandatory, w) }

// Settings are what a person wants to be told: everything but what is off, text messages of Texts alone, letters in
// Language ("" = the portal's own) and in the working hours of Zone ("" = at once).
type Settings struct {
	Off      []Way // of the bell and of letters
	Texts    []Category
	Language string
	Zone     string
}

// On tells whether a way is told.
func (s Settings) On(w Way) bool {
	if w.Channel == ChannelText {
		return slices.Contains(s.Texts, w.Category)
	}
	return Mandatory(w) || !slices.Contains(s.Off, w)
}

// Settings gives the actor's own in the organisation acted for.
func (b *Box) Settings(ctx context.Context, sc scope.Scope) (Settings, error) {
	if !owner(sc) {
		return Settings{}, nil
	}
	return b.SettingsOf(ctx, sc.OrgID(), sc.PersonID())
}

// SettingsOf gives a person's, for the program's own sending.
func (b *Box) SettingsOf(ctx context.Context, orgID, personID string) (Settings, error) {
	off, err := b.store.Off(ctx, orgID, personID)
	if err != nil {
		return Settings{}, err
	}
	texts, err := b.store.Texts(ctx, orgID, personID)
	if err != nil {
		return Settings{}, err
	}
	language, err := b.store.Language(ctx, personID)
	if err != nil {
		return Settings{}, err
	}
	zone, err := b.store.Zone(ctx, personID)
	return Settings{Off: off, Texts: texts, Language: language, Zone: zone}, err
}

// SetSettings replaces the actor's own; the same again changes nothing. Faults: message.mandatory for a way that
// cannot be off, message.way_unknown, message.language_unknown, message.zone_unknown.
func (b *Box) SetSettings(ctx context.Context, sc scope.Scope, s Settings) error {
	if !owner(sc) {
		return fault.NotFound("message.unknown", nil)
	}
	if s.Language != "zh-CN" && s.Language != "en" {
		return fault.Invalid("message.language_unknown", nil)
	}
	if s.Zone != "" && !slices.Contains(Zones, s.Zone) {
		return fault.Invalid("message.zone_unknown", nil)
	}
	for _, w := range s.Off {
		if !known(w.Category) || w.Channel == ChannelText || !slices.Contains(Channels, w.Channel) {
			return fault.Invalid("message.way_unknown", nil)
		}
		if Mandatory(w) {
			return fault.Conflict("message.mandatory", nil)
		}
	}
	if slices.ContainsFunc(s.Texts, func(c Category) bool { return !known(c) }) {
		return fault.Invalid("message.way_unknown", nil)
	}
	return b.tx.InTx(ctx, func(ctx context.Context) error {
		if err := b.store.SetOff(ctx, sc.OrgID(), sc.PersonID(), s.Off); err != nil {
			return err
		}
		if err := b.store.SetTexts(ctx, sc.OrgID(), sc.PersonID(), s.Texts); err != nil {
			return err
		}
		if err := b.store.SetLanguage(ctx, sc.PersonID(), s.Language); err != nil {
			return err
		}
		return b.store.SetZone(ctx, sc.PersonID(), s.Zone)
	})
}
