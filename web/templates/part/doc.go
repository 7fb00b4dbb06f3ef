// Package part holds the building blocks of pages: status, money, tables' tools, equation, why panel,
// steps, actions, dialogs, empty states.
//
// It owns their markup and props; it does not own figures or wording of a domain: every text in a props
// struct is ready to show, and only the parts' own labels are translated here. Parts work without
// script: menus are popovers, filters are GET forms, actions are POST forms.
package part
