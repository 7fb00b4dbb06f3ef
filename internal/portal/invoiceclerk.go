package portal

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"huoban/internal/fault"
	"huoban/internal/invoice"
	"huoban/internal/scope"
	"huoban/web/templates/invoiceview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const maxInvoiceForm = invoice.MaxFile + 64<<10

// invoiceClerkRoutes are 发票审核: what partners asked a vendor to invoice.
func invoiceClerkRoutes() []Route {
	row := func(method, path, name, title string, item scope.Item, handle func(*Handlers, *Ctx) error) Route {
		return Route{Method: method, Path: "/o/:org" + pathInvoiceRequests + path, Name: name, Sides: vendors, Items: []scope.Item{item}, Title: title, Do: handle}
	}
	return []Route{
		row(get, "", "invoice_requests", "invoice_requests.title", scope.ItemInvoiceReviewView, (*Handlers).invoiceRequests),
		row(get, "/:id", "invoice_requests.show", "invoice_requests.title", scope.ItemInvoiceReviewView, (*Handlers).invoiceRequestShown).noList("one request and the bills it takes from"),
		row(get, "/:id/file", "invoice_requests.file", "", scope.ItemInvoiceReviewView, (*Handlers).invoiceFile),
		row(post, "/:id/files", "invoice_requests.upload", "", scope.ItemInvoiceReview, (*Handlers).invoiceUploaded),
	}
}

// bringsInvoice tells a form with an electronic invoice from any other.
func bringsInvoice(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/o/") && strings.Contains(r.URL.Path, pathInvoiceRequests+"/") && strings.HasSuffix(r.URL.Path, "/files") &&
		strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data")
}

// invoiceRequests is the list of a vendor's clerks, what waits for them first.
func (h *Handlers) invoiceRequests(c *Ctx) error {
	title := c.T("invoice_requests.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done(), Filter: invoiceFilter(c, pathInvoiceRequests),
		Notes: []string{c.T("invoice_requests.note", "Review", invoice.ReviewDays, "Issue", invoice.IssueDays)}}
	p.Header.Plain, p.Header.Buttons = true, []part.Link{{Text: c.T("invoice_entities.title"), Href: c.at(pathInvoiceEntities)}}
	if _, err := h.board(c, &p, "invoice_requests"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

func (h *Handlers) readInvoiceRequests(c *Ctx) (*sheet, error) {
	return h.readInvoiceList(c, pathInvoiceRequests)
}

func (h *Handlers) invoiceRequestShown(c *Ctx) error {
	return h.invoiceRequestDetail(c, http.StatusOK, nil)
}

// invoiceRequestDetail is a request as the issuer sees it.
func (h *Handlers) invoiceRequestDetail(c *Ctx, status int, refused *fault.Error) error {
	r, p, err := h.invoiceShow(c, pathInvoiceRequests, c.T("invoice_requests.title"), refused)
	if err != nil {
		return err
	}
	p.Note = c.T("invoice_requests.next." + string(r.State))
	if r.Medium.IsFile() && (r.State == invoice.StateIssuing || r.State == invoice.StateKept) && c.Scope.Has(scope.ItemInvoiceReview) {
		p.Upload = &invoiceview.Upload{Action: c.at(pathInvoiceRequests + "/" + r.ID + "/files"), Note: c.T("invoices.upload_note", "Limit", invoice.MaxFile>>20),
			Field: part.Field{Name: "file", Label: c.T("invoices.upload_file"), Type: "file", Accept: ".ofd,.pdf,.xml", Required: true}}
	}
	c.ruled(&p.Header, &p.Rules)
	return c.page(status, p.Page())
}

// invoiceUploaded takes the electronic invoice of the form; the same again changes nothing.
func (h *Handlers) invoiceUploaded(c *Ctx) error {
	body, err := c.invoiceBody()
	if err == nil {
		if _, err = h.Invoices.Upload(c.ctx(), c.Scope, c.Param("id"), body); err == nil {
			return c.seeOther(c.withQuery(pathInvoiceRequests+"/"+c.Param("id"), "done", "invoice_upload"))
		}
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.invoiceRequestDetail(c, status, f) })
}

// invoiceBody is the file of the form. Faults: invoice.file_empty, .file_large.
func (c *Ctx) invoiceBody() ([]byte, error) {
	missing := fault.Invalid("invoice.file_empty", nil)
	if !bringsInvoice(c.Request()) {
		return nil, missing
	}
	f, _, err := c.Request().FormFile("file")
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, fault.Invalid("invoice.file_large", fault.Args{"limit": invoice.MaxFile >> 20})
	}
	if err != nil {
		return nil, missing
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, invoice.MaxFile+1))
}
