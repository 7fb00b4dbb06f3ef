// Package metadata reads the documents by which SAML entities introduce themselves, judges what a newer one
// may change, and writes ours.
//
// It owns the limits of a document, its signature against a pinned signer, which of its certificates can be
// used, and the rules of refresh; it does not own rows, fetching or keys. A document is read from the bytes that
// were digested whenever a signer is pinned. Nothing here reads a clock or a network.
package metadata
