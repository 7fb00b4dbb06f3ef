package app

import (
	"context"
	"net/netip"
	"time"

	"huoban/internal/app/metafetch"
	"huoban/internal/fault"
	"huoban/internal/message"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/sso/metadata"
	"huoban/internal/sso/registry"
	"huoban/internal/store/ssostore"
)

// wirePlatforms makes the registry of partners' sales platforms. Fault: settings.sso_metadata_allow.
func (a *App) wirePlatforms() error {
	var allow []netip.Prefix
	for _, text := range a.Settings.SSOMetadataAllow {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return fault.Invalid("settings.sso_metadata_allow", fault.Args{"value": text})
		}
		allow = append(allow, p)
	}
	a.outside = metafetch.New(metafetch.Options{Allow: allow, LocalHTTP: metadata.LocalBase(a.Settings.Base())})
	a.Platforms = registry.New(registry.Deps{Store: ssostore.New(a.DB), Tx: a.DB, Log: a.FlowLog, Audit: a.Audit, Clock: a.Clock, Orgs: a.Organisations,
		Fetch:  a.outside,
		Secret: a.Key[:], Base: a.Settings.Base(), Told: a.tellPlatform, Switched: a.Customers.PlatformSwitched, Version: a.DB.Version})
	return nil
}

// tellPlatform rings the bell of everybody at a partner who may change its platform, and writes to them; of a console,
// of everybody who looks after it.
func (a *App) tellPlatform(ctx context.Context, n registry.News) error {
	if n.Console != nil {
		return a.tellConsole(ctx, n)
	}
	return a.tellNews(ctx, n.Platform.PartnerID, scope.ItemAccessConfigChange, n, "/support/capability/access-config/"+n.Platform.ID)
}

// tellNews tells the people of an organisation who hold an item.
func (a *App) tellNews(ctx context.Context, orgID string, item scope.Item, n registry.News, page string) error {
	return a.tellAndWrite(ctx, orgID, item, message.Notice{Category: message.CategorySystem, Code: n.Code, Args: n.Args, Link: page}, n.Once)
}

// tellConsole tells the vendor who looks after a console, or every vendor it serves when nobody does, and the partner
// whose customers alone go there.
func (a *App) tellConsole(ctx context.Context, n registry.News) error {
	sc, c := scope.System("system"), n.Console
	all, err := a.Organisations.List(ctx, sc)
	if err != nil {
		return err
	}
	serves := map[string]bool{c.VendorID: c.VendorID != ""}
	for _, o := range all {
		if o.ID != c.PartnerID {
			continue
		}
		if err := a.tellNews(ctx, o.ID, scope.ItemAccessConfigChange, n, "/support/capability/access-config"); err != nil {
			return err
		}
		vendors, err := a.Organisations.VendorsOf(ctx, o)
		if err != nil {
			return err
		}
		for _, v := range vendors {
			serves[v.ID] = serves[v.ID] || c.VendorID == ""
		}
	}
	for _, o := range all {
		if o.Kind == organisation.KindVendor && (serves[o.ID] || c.VendorID == "" && c.PartnerID == "") {
			if err := a.tellNews(ctx, o.ID, scope.ItemConsoleChange, n, "/consoles/"+c.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// platformWork is what the registry does by itself: documents when they are due, keys and certificates once an hour.
func (a *App) platformWork() {
	a.Worker.Every("sso.refresh", time.Minute, func(ctx context.Context) error { _, err := a.Platforms.RefreshDue(ctx); return err })
	a.Worker.Every("sso.keys", time.Hour, func(ctx context.Context) error { _, err := a.Platforms.Roll(ctx); return err })
	a.Worker.Every("sso.warn", time.Hour, func(ctx context.Context) error { _, err := a.Platforms.Warn(ctx); return err })
	a.Worker.Every("sso.address", time.Hour, a.Platforms.KeepAddresses)
}
