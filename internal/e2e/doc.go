// Package e2e tests the whole portal from outside, over HTTP and in a browser.
//
// It owns the promises that no single package can keep alone: who reaches which route, that organisations
// cannot see each other, what every answer carries, and that the pages work by keyboard, on a phone, in
// both languages and themes. It does not own figures; those are tested where they are made.
//
// Invariants: a test talks to the portal as a browser or a program does and never reads its database;
// a GET page that stands in the route table and is not visited fails.
package e2e
