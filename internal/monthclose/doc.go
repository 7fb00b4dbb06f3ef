// Package monthclose brings a vendor's bill cycle from open to issued (月结).
//
// It owns the close of one vendor and cycle: what must be true before it may go on, the steps and
// their record, the cycle an adjustment goes into, and what partners see meanwhile (预估, 初稿, 终稿).
// It does not own reading lines (usage), pricing and documents (bill), nor the life of an adjustment
// (adjustment).
//
// Invariants: a step is recorded before it acts and acts in one transaction, so a close killed at
// any point goes on from its state; a step already done is not done again; bills are computed from
// the lines, compared with the summaries, and issued only if what they were computed from has not
// changed; after issue nothing is reopened, and the database refuses writes to the cycle.
//
// Spec: docs/month-close.md
package monthclose
