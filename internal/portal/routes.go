package portal

import (
	"net/http"

	"huoban/internal/scope"
	"huoban/web/templates/layout"
)

const (
	get  = http.MethodGet
	post = http.MethodPost
)

var (
	partners = []scope.Side{scope.SidePartner}
	vendors  = []scope.Side{scope.SideVendor}
	traders  = []scope.Side{scope.SidePartner, scope.SideVendor}
)

// table is every route of the portal. A new page is a row here, a handler and a page in web/templates.
func table() []Route {
	rows := door()
	rows = append(rows, billRoutes()...)
	rows = append(rows, expenditureRoutes()...)
	rows = append(rows, peakRoutes()...)
	rows = append(rows, customerRoutes()...)
	rows = append(rows, assignmentRoutes()...)
	rows = append(rows, labelRoutes()...)
	rows = append(rows, prospectRoutes()...)
	rows = append(rows, invitationRoutes()...)
	rows = append(rows, registrationRoutes()...)
	rows = append(rows, grantRoutes()...)
	rows = append(rows, inviteRoutes()...)
	rows = append(rows, relationRoutes()...)
	rows = append(rows, couponRoutes()...)
	rows = append(rows, statementRoutes()...)
	rows = append(rows, invoiceRoutes()...)
	rows = append(rows, reconcileRoutes()...)
	rows = append(rows, subscriptionRoutes()...)
	rows = append(rows, dashboardRoutes()...)
	rows = append(rows, anomalyRoutes()...)
	rows = append(rows, forecastRoutes()...)
	rows = append(rows, memberRoutes()...)
	rows = append(rows, roleRoutes()...)
	rows = append(rows, welcomeRoutes()...)
	rows = append(rows, newsRoutes()...)
	rows = append(rows, companyRoutes()...)
	rows = append(rows, fundsRoutes()...)
	rows = append(rows, topUpRoutes()...)
	rows = append(rows, claimRoutes()...)
	rows = append(rows, agreementRoutes()...)
	rows = append(rows, contractRoutes()...)
	rows = append(rows, ledgerRoutes()...)
	rows = append(rows, exportRoutes()...)
	rows = append(rows, sourceRoutes()...)
	rows = append(rows, priceRoutes()...)
	rows = append(rows, auditRoutes()...)
	rows = append(rows, workRoutes()...)
	rows = append(rows, columnRoutes()...)
	rows = append(rows, nameRoutes()...)
	rows = append(rows, ssoRoutes()...)
	rows = append(rows, hostedRoutes()...)
	rows = append(rows, accessRoutes()...)
	rows = append(rows, consoleRoutes()...)
	rows = append(rows, trailRoute())
	rows = append(rows, confirmRoutes()...)
	rows = append(rows, passcodeRoutes()...)
	rows = append(rows, deskRoutes()...)
	rows = append(rows, withdrawalRoutes()...)
	rows = append(rows, allocationRoutes()...)
	return append(rows, opsRoutes()...)
}

func door() []Route {
	return []Route{
		{Method: get, Path: "/", Name: "root", Public: true, Do: (*Handlers).root},
		{Method: get, Path: "/healthz", Name: "live", Public: true, Do: (*Handlers).live},
		{Method: get, Path: "/readyz", Name: "ready", Public: true, Do: (*Handlers).ready},
		{Method: get, Path: "/metrics", Name: "metrics", Public: true, Do: (*Handlers).metrics},
		{Method: get, Path: "/login", Name: "login", Public: true, Title: "signview.signin.title", NoList: "form", Do: (*Handlers).signInPage},
		{Method: post, Path: "/login", Name: "login.do", Public: true, Do: (*Handlers).signIn},
		{Method: get, Path: "/login/code", Name: "login.code", Public: true, Title: "signview.second.title", NoList: "form", Do: (*Handlers).codePage},
		{Method: post, Path: "/login/code", Name: "login.code.do", Public: true, Do: (*Handlers).code},
		{Method: post, Path: layout.PathLogout, Name: "logout", Public: true, Do: (*Handlers).signOut},
		{Method: get, Path: "/setup/:token", Name: "setup", Public: true, Title: "signview.setup.title", NoList: "form", Do: (*Handlers).setUpPage},
		{Method: post, Path: "/setup/:token", Name: "setup.do", Public: true, Do: (*Handlers).setUp},
		{Method: post, Path: layout.PathLanguage, Name: "language", Public: true, Do: (*Handlers).setLanguage},
		{Method: post, Path: layout.PathTheme, Name: "theme", Public: true, Do: (*Handlers).setTheme},
		{Method: post, Path: layout.PathRole, Name: "role", Self: true, Query: []string{"organisation"}, Do: (*Handlers).switchRole},
		{Method: get, Path: layout.PathPassword, Name: "password", Self: true, Title: "signview.password.title", NoList: "form", Do: (*Handlers).passwordPage},
		{Method: post, Path: layout.PathPassword, Name: "password.do", Self: true, Do: (*Handlers).password},
		{Method: get, Path: layout.PathSessions, Name: "sessions", Self: true, Title: "portal.sessions.title", NoList: "one's own sign-ins, never a file", Do: (*Handlers).sessions},
		{Method: post, Path: "/account/sessions/:handle/ending", Name: "session.end", Self: true, Do: (*Handlers).endSession},
		{Method: post, Path: "/account/sessions/ending", Name: "sessions.end", Self: true, Do: (*Handlers).endOthers},
		{Method: post, Path: "/account/totp", Name: "totp", Self: true, Do: (*Handlers).totp},
	}
}
