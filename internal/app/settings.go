package app

import (
	"net"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"time"

	"huoban/internal/clock"
	"huoban/internal/fault"
)

// Settings are what an operator may choose, as flags or environment variables of the same meaning.
type Settings struct {
	Addr             string        `name:"addr" env:"PORTAL_ADDR" default:"127.0.0.1:8080" help:"Address to listen on."`
	BaseURL          string        `name:"base-url" env:"PORTAL_BASE_URL" help:"Public address (default http://localhost:PORT)."`
	Data             string        `name:"data" env:"PORTAL_DATA" default:"data" help:"Folder of the embedded database, keys and demo accounts."`
	DB               string        `name:"db" env:"PORTAL_DB" help:"postgres:// URL; empty is the embedded database in the data folder."`
	Clock            string        `name:"clock" env:"PORTAL_CLOCK" help:"RFC 3339 time at which the clock starts; with --dev only."`
	Dev              bool          `name:"dev" env:"PORTAL_DEV" help:"Development mode: allows --clock, and shows verification codes on /dev/outbox where nothing else sends them."`
	TrustedProxies   []string      `name:"trusted-proxies" env:"PORTAL_TRUSTED_PROXIES" help:"Networks (CIDR) whose X-Forwarded headers are believed."`
	TLSCert          string        `name:"tls-cert" env:"PORTAL_TLS_CERT" help:"Certificate file; with --tls-key serves HTTPS."`
	TLSKey           string        `name:"tls-key" env:"PORTAL_TLS_KEY" help:"Private key file."`
	SMTP             string        `name:"smtp" env:"PORTAL_SMTP" help:"smtp://user:password@host:port of the mail server; empty sends no mail."`
	SMS              string        `name:"sms" env:"PORTAL_SMS" help:"https://user:password@host/path of a gateway that sends text messages; empty sends none."`
	MailFrom         string        `name:"mail-from" env:"PORTAL_MAIL_FROM" help:"Sender of mails."`
	ExportKeep       time.Duration `name:"export-keep" env:"PORTAL_EXPORT_KEEP" default:"168h" help:"How long finished exports stay."`
	SSOMetadataAllow []string      `name:"sso-metadata-allow" env:"PORTAL_SSO_METADATA_ALLOW" help:"Private networks (CIDR) in which a partner's sales platform may stand whose metadata is fetched."`
	FileAllow        []string      `name:"file-allow" env:"PORTAL_FILE_ALLOW" help:"Private networks (CIDR) in which a partner's bucket or webhook may stand that monthly files are carried to."`
	PageCache        int           `name:"page-cache" env:"PORTAL_PAGE_CACHE" default:"16" help:"Megabytes of finished pages of past months kept in memory; 0 keeps none."`
}

// Setting is one effective value and where it came from.
type Setting struct {
	Name   string `json:"name"`
	Env    string `json:"env"`
	Value  string `json:"value"`
	Origin string `json:"origin"` // default, environment or flag
}

// Effective lists the settings with their origin; secrets inside URLs are masked.
func (s Settings) Effective(args []string) []Setting {
	var out []Setting
	v, t := reflect.ValueOf(s), reflect.TypeFor[Settings]()
	for i := range t.NumField() {
		f := t.Field(i)
		one := Setting{Name: f.Tag.Get("name"), Env: f.Tag.Get("env"), Origin: "default"}
		if _, set := os.LookupEnv(one.Env); set {
			one.Origin = "environment"
		}
		for _, a := range args {
			if a == "--"+one.Name || strings.HasPrefix(a, "--"+one.Name+"=") {
				one.Origin = "flag"
			}
		}
		switch x := v.Field(i).Interface().(type) {
		case string:
			one.Value = maskURL(x)
		case []string:
			one.Value = strings.Join(x, ",")
		case time.Duration:
			one.Value = x.String()
		case int:
			one.Value = strconv.Itoa(x)
		case bool:
			one.Value = map[bool]string{true: "true", false: "false"}[x]
		}
		if one.Name == "base-url" {
			one.Value = s.Base()
		}
		out = append(out, one)
	}
	return out
}

func maskURL(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.User == nil {
		return s
	}
	return u.Redacted()
}

// Base is the public address.
func (s Settings) Base() string {
	if s.BaseURL != "" {
		return strings.TrimRight(s.BaseURL, "/")
	}
	_, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		port = "8080"
	}
	scheme := "http"
	if s.TLSCert != "" {
		scheme = "https"
	}
	return scheme + "://localhost:" + port
}

// Target is what store.Open opens.
func (s Settings) Target() string {
	if s.DB != "" {
		return s.DB
	}
	return filepath.Join(s.Data, "portal.db")
}

// KeyFile holds the secret of the audit chain, readable by its owner alone.
func (s Settings) KeyFile() string { return filepath.Join(s.Data, "portal.key") }

// HeadsFile holds the audit chain's daily heads, apart from the database.
func (s Settings) HeadsFile() string { return filepath.Join(s.Data, "audit-heads.jsonl") }

// Validate refuses settings that cannot work together. Faults: settings.*.
func (s Settings) Validate() error {
	if s.Clock != "" && !s.Dev {
		return fault.Invalid("settings.clock_needs_dev", nil)
	}
	if _, _, err := net.SplitHostPort(s.Addr); err != nil {
		return fault.Invalid("settings.addr", fault.Args{"value": s.Addr})
	}
	if (s.TLSCert == "") != (s.TLSKey == "") {
		return fault.Invalid("settings.tls_pair", nil)
	}
	for _, p := range s.TrustedProxies {
		if _, _, err := net.ParseCIDR(p); err != nil {
			return fault.Invalid("settings.trusted_proxy", fault.Args{"value": p})
		}
	}
	if u, err := url.Parse(s.Base()); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.Path != "" {
		return fault.Invalid("settings.base_url", fault.Args{"value": s.BaseURL})
	}
	if s.Clock != "" {
		if _, err := time.Parse(time.RFC3339, s.Clock); err != nil {
			return fault.Invalid("settings.clock", fault.Args{"value": s.Clock})
		}
	}
	return nil
}

// NewClock is the clock the settings ask for.
func (s Settings) NewClock() clock.Clock {
	if t, err := time.Parse(time.RFC3339, s.Clock); err == nil {
		return clock.StartingAt(t)
	}
	return clock.System()
}
