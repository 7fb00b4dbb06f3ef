// Package sso is the door between a partner's sales platform and the portal: what a SAML message must
// look like, who may have signed it and what it says.
//
// It owns the verification of answers, logout messages and sign-in requests, the building of ours, and
// the rules for return addresses; it does not own rows, cookies, sessions or the linking of customers. A
// message is judged against one registration, chosen by the address it came to and never by anything
// inside it. Everything is a pure function of message, registration, stored request and instant; nothing is
// fetched, and what is believed is read from the bytes that were digested.
package sso
