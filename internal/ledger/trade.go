package ledger

import "slices"

// Type is why money moved, as partners filter it (交易类型).
type Type string

// The trade types: 充值, 消费, 退款, 冻结, 转账, 调账, 伙伴拨款, 伙伴回收, 解绑回收, 激励转换, 交易模式变更.
const (
	TypeRecharge     Type = "recharge"
	TypeDeduct       Type = "deduct"
	TypeRefund       Type = "refund"
	TypeFrozen       Type = "frozen"
	TypeTransfer     Type = "transfer"
	TypeAdjust       Type = "adjust"
	TypeAllocate     Type = "allocate"
	TypeReclaim      Type = "reclaim"
	TypeUnbind       Type = "unbind"
	TypeBonusConvert Type = "bonus_convert"
	TypeTradeMode    Type = "trade_mode"
)

// Detail is the finer kind of a movement (交易详细类型), named as the open API names it after its prefix.
type Detail string

// The details other packages post. The table below has them all.
const (
	DetailRecharge       Detail = "recharge"
	DetailRechargeRebate Detail = "recharge_rebate"
	DetailWriteOff       Detail = "writeoff"
	DetailDeduct         Detail = "deduct"
	DetailRefund         Detail = "refund"
	DetailBillRefund     Detail = "bill_refund"
	DetailFreeze         Detail = "freeze"
	DetailUnfreeze       Detail = "unfreeze"
	DetailClearFrozen    Detail = "clear_frozen"
	DetailToBalance      Detail = "to_balance"
	DetailAdjust         Detail = "adjust"
	DetailAdjustCredit   Detail = "adjust_credit"
	DetailAllocate       Detail = "allocate"
	DetailReclaim        Detail = "reclaim"
	DetailUnbind         Detail = "unbind"
	DetailTradeMode      Detail = "trade_mode"
	DetailQuotaTransfer  Detail = "quota_transfer"
	DetailQuotaReclaim   Detail = "quota_reclaim"
)

type typeRow struct {
	is      Type
	wire    string
	details []detailRow
}

type detailRow struct {
	is   Detail
	wire string
}

// What the open API writes; it has both spellings of OPERATION, and one of its own.
const (
	older = "SOURCE_OPERAIION_"
	newer = "SOURCE_OPERATION_"
)

var trades = []typeRow{
	{TypeRecharge, "RECHARGE", []detailRow{{DetailRecharge, older + "RECHARGE"}, {DetailRechargeRebate, older + "RECHARGE_REBATE"}, {"prize", older + "PRIZE"}}},
	{TypeDeduct, "DEDEUCT", []detailRow{{DetailDeduct, older + "DEDEUCT"}, {"one_time", older + "ONETIME"}, {"usage", older + "USAGE"}, {"free_deduct", older + "FREERESDEDUCT"},
		{"reserved_deduct", "SOURCE_OPERATIION_RIDEDUCT"}, {DetailWriteOff, older + "WRITEOFF"}, {"merge", older + "MERGE"}, {"precision", older + "PRECISIONCOMP"},
		{DetailQuotaTransfer, newer + "COUPON_QUOTA_TRANSFER"}}},
	{TypeRefund, "REFUND", []detailRow{{DetailRefund, older + "REFUND"}, {"unsubscribe", older + "UNSUBSCRIBE"}, {DetailBillRefund, older + "BILLREFUND"},
		{"coupon_cancel", newer + "COUPONCANCEL"}, {DetailQuotaReclaim, newer + "COUPON_QUOTA_RECLAIM"}}},
	{TypeFrozen, "RFROZEN", []detailRow{{DetailFreeze, older + "RFROZEN"}, {DetailUnfreeze, older + "UNFROZEN"}, {DetailClearFrozen, older + "CLEARFROZEN"},
		{"manual_freeze", older + "MANUALFROZE"}, {"manual_unfreeze", older + "MANUALUNFROZE"}, {"manual_clear", older + "MANUALCLEARFROZEN"},
		{"system_freeze", newer + "SYSTEM_FROZEN"}, {"system_unfreeze", newer + "SYSTEM_UNFROZEN"}}},
	{TypeTransfer, "TRANS", []detailRow{{DetailToBalance, older + "TRANS_TO_BALANCE"}, {"to_deposit", older + "TRANS_TO_FOREGIFT"}}},
	{TypeAdjust, "ADJUST", []detailRow{{DetailAdjust, older + "ADJUST"}, {DetailAdjustCredit, older + "ADJUST_CREDIT"}, {"expire_clear", older + "EXPIRECLEAR"}}},
	{TypeAllocate, "BEADJUST", []detailRow{{DetailAllocate, newer + "BEADJUST"}}},
	{TypeReclaim, "BERETRIEVE", []detailRow{{DetailReclaim, newer + "BERETRIEVE"}}},
	{TypeUnbind, "BEUNBIND", []detailRow{{DetailUnbind, newer + "BEUNBIND"}}},
	{TypeBonusConvert, "BONUSCONVERT", []detailRow{{"convert_bonus", older + "CONVERT_BONUS"}}},
	{TypeTradeMode, "TRADE_MODE_TRANSFER", []detailRow{{DetailTradeMode, newer + "TRADEMODE_TRANSFER"}}},
}

// Types lists the trade types in the order of the filter.
func Types() []Type {
	out := make([]Type, len(trades))
	for i, t := range trades {
		out[i] = t.is
	}
	return out
}

// Details lists the details of a type, in the order of the filter; of "" those of all.
func Details(of Type) (out []Detail) {
	for _, t := range trades {
		if of == "" || t.is == of {
			for _, d := range t.details {
				out = append(out, d.is)
			}
		}
	}
	return out
}

func (t Type) row() (typeRow, bool) {
	i := slices.IndexFunc(trades, func(r typeRow) bool { return r.is == t })
	if i < 0 {
		return typeRow{}, false
	}
	return trades[i], true
}

func (t Type) allows(d Detail) bool {
	row, ok := t.row()
	return ok && slices.ContainsFunc(row.details, func(r detailRow) bool { return r.is == d })
}

// Known tells whether the type exists.
func (t Type) Known() bool { _, ok := t.row(); return ok }

// API is the trade_type of the open API.
func (t Type) API() string { row, _ := t.row(); return row.wire }

// TypeOfAPI finds the type the open API names.
func TypeOfAPI(wire string) (Type, bool) {
	i := slices.IndexFunc(trades, func(r typeRow) bool { return r.wire == wire })
	if i < 0 {
		return "", false
	}
	return trades[i].is, true
}

// API is the trade_detail_type of the open API, "" for one that does not exist.
func (d Detail) API() string {
	for _, t := range trades {
		for _, r := range t.details {
			if r.is == d {
				return r.wire
			}
		}
	}
	return ""
}

// Label is the key of the type's name.
func (t Type) Label() string { return "ledger.type." + string(t) }

// Label is the key of the detail's name.
func (d Detail) Label() string { return "ledger.detail." + string(d) }
