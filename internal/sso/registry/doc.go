// Package registry keeps partners' sales platforms (接入配置) and the consoles of hosted ones: their documents,
// certificates and switches, and the keys that are ours for each.
//
// It owns the life of a registration, the import and refresh of documents, our keys and their rollover, and who
// may see which refusal; it does not own what a message must look like (package sso) nor who may come in. Each
// registration has an entity of ours: its key, entity id and keys are made once and never used again. Whatever
// changes a registration raises its version.
package registry
