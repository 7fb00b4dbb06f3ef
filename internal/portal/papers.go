package portal

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/paper"
	"huoban/internal/scope"
	"huoban/web/templates/growview"
	"huoban/web/templates/part"
)

const maxPaperForm = paper.MaxFile + 64<<10

// bringsPaper tells a form with a scan from any other.
func bringsPaper(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/o/") && strings.HasSuffix(r.URL.Path, "/paper") && strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data")
}

// paperBody is the file of the form. Faults: paper.none, .large.
func (c *Ctx) paperBody() ([]byte, error) {
	none := fault.Invalid("paper.none", nil)
	if !bringsPaper(c.Request()) {
		return nil, none
	}
	f, _, err := c.Request().FormFile("file")
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, fault.Invalid("paper.large", fault.Args{"limit": paper.MaxFile >> 20})
	}
	if err != nil {
		return nil, none
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, paper.MaxFile+1))
}

// paperForm asks for the scan of a thing; at is the thing's address.
func paperForm(c *Ctx, at string) *growview.Upload {
	return &growview.Upload{Title: c.T("paper.title"), Action: at + "/paper", Submit: c.T("paper.upload"), Note: c.T("paper.note", "Limit", paper.MaxFile>>20),
		Field: part.Field{Name: "file", Label: c.T("paper.file"), Type: "file", Accept: paper.Accept, Required: true}}
}

// paperItem is the fact that leads to a scan.
func paperItem(c *Ctx, p *paper.Paper, found bool, at string) part.Item {
	if !found {
		return part.Item{Label: c.T("paper.title"), Text: c.T("paper.missing")}
	}
	return part.Item{Label: c.T("paper.title"), Text: c.T("paper.download", "Format", strings.ToUpper(string(p.Format)), "Size", i18n.Count((p.Bytes+1023)/1024)), Href: at + "/paper"}
}

// keepPaper takes the scan of the thing an address names; the same again changes nothing.
func (c *Ctx) keepPaper(path string, sign func(ctx context.Context, sc scope.Scope, id string, body []byte) error, again func(status int, f *fault.Error) error) error {
	body, err := c.paperBody()
	if err == nil {
		if err = sign(c.ctx(), c.Scope, c.Param("id"), body); err == nil {
			return c.seeOther(c.withQuery(path+"/"+c.Param("id"), "done", "paper_kept"))
		}
	}
	return c.refuse(err, again)
}

// givePaper sends a scan as a file to keep: it is never shown by the browser as part of the portal.
func (c *Ctx) givePaper(number string, p *paper.Paper, body []byte) error {
	name := number + "." + string(p.Format)
	head := c.Response().Header()
	head.Set("Content-Disposition", `attachment; filename="`+asciiName(name)+`"; filename*=UTF-8''`+url.PathEscape(name))
	head.Set("Cache-Control", "private, no-store")
	return c.Blob(http.StatusOK, p.Format.ContentType(), body)
}
