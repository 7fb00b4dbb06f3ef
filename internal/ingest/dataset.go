package ingest

// otherDataset names a FOCUS dataset that is not cost and usage; "" for everything else.
func otherDataset(h *Header) string {
	switch {
	case h.Has("InvoiceDetailGrain") || h.Has("InvoiceIssueStatus"):
		return "Invoice Detail"
	case h.Has("BilledCost"):
		return ""
	case h.Has("ContractCommitmentId") && h.Has("ContractId"):
		return "Contract Commitment"
	case h.Has("BillingPeriodStatus"):
		return "Billing Period"
	}
	return ""
}
