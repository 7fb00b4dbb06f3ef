package ingest

// otherDataset names a FOCUS dataset that is not cost and usage; "" for everything else.
func otherDataset(h *Header) string {
	switch {
	case h.Has("BilledCost") && h.Has("ChargeCategory"):
		return ""
	case h.Has("ContractCommitmentId") && h.Has("ContractId"):
		return "Contract Commitment"
	case h.Has("InvoiceDetailId"):
		return "Invoice Detail"
	case h.Has("BillingPeriodStatus"):
		return "Billing Period"
	}
	return ""
}
