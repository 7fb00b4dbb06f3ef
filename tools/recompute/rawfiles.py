"""Cost exports as they are delivered, turned into lines. One reader for each dialect of docs/formats.md
that the samples have: focus, gcp, aws-cur, oci, azure-cost and the portal's own huoban format; Huawei
Cloud's partner bills are in huawei.py."""
import ast
import csv
import gzip
import hashlib
import io
import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal

csv.field_size_limit(1 << 24)
NULLS = {"", "NULL", "null", "(null)", "(NULL)"}


class Line:
    """What bills need of a row."""

    __slots__ = ("source", "cycle", "start", "sub_account", "source_key", "kind", "currency", "billed", "list",
                 "contracted", "provider", "product", "sku", "charging_mode", "region", "columns", "map_key", "key", "shared")

    def __init__(self):
        self.key, self.shared = b"", False

    def base(self, column):
        """The base column of a rule; where the row lacks it, the billed amount."""
        value = {"list": self.list, "contracted": self.contracted}.get(column)
        return self.billed if value is None else value

    def part(self, **amounts):
        twin = Line()
        for name in Line.__slots__:
            setattr(twin, name, getattr(self, name, None))
        for name, value in amounts.items():
            setattr(twin, name, value)
        return twin

    def local_day(self):
        return self.start.astimezone(zone_of(self.source)).date().isoformat()


def zone_of(source):
    text = source.get("zone") or ("+08:00" if source["dialect"] in ("focus-huawei", "focus-alibaba", "focus-tencent", "huoban", "huawei-partner-bill",
                                                                    "huawei-bill-detail") else "UTC")
    if text == "UTC":
        return timezone.utc
    sign = -1 if text[0] == "-" else 1
    hours, minutes = text[1:].split(":")
    return timezone(sign * timedelta(hours=int(hours), minutes=int(minutes)))


class Row:
    """A row by header name, without regard to case and to the punctuation clouds disagree on."""

    def __init__(self, cells):
        self.raw = cells
        self.cells = {fold(k): v for k, v in cells.items() if k is not None}

    def text(self, *names):
        for name in names:
            value = self.cells.get(fold(name))
            if value is not None and value.strip() not in NULLS:
                return value.strip()
        return ""

    def number(self, *names):
        value = self.text(*names)
        return Decimal(value) if value else None


def fold(name):
    return "".join(c for c in name.lower() if c.isalnum())


def rows_of(path, source):
    """Each row of a file and the line it makes."""
    if source["dialect"].startswith("huawei-"):
        import huawei  # which needs Row and Line of this module

        for name, table in huawei.tables(path):
            for cells in table:
                line = huawei.line(cells, name)
                if line is not None:
                    yield Row(cells), line
        return
    raw = open(path, "rb").read()
    if path.endswith(".gz"):
        raw = gzip.decompress(raw)
    for cells in csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")):
        row = Row(cells)
        yield row, READERS[source["dialect"]](row, source)


def read(path, source):
    """The lines of one file."""
    out = []
    for row, line in rows_of(path, source):
        line.source = source
        if source.get("keys"):
            line.key = line_key(row, source)
        if source.get("key_column"):
            line.source_key = key_value(row, source["key_column"])
        line.map_key = line.sub_account or line.source_key
        line.columns.update({"ProviderName": line.provider, "ServiceName": line.product, "SkuId": line.sku, "RegionId": line.region,
                             "SubAccountId": line.sub_account, "SourceKey": line.source_key, "BillingCurrency": line.currency})
        out.append(line)
    return out


def line_key(row, source):
    """The key of docs/formats.md, where it orders lines of one moment: of FOCUS rows and of the portal's own format."""
    if source["dialect"] == "huoban":
        cells = [row.text("line_id")]
    elif source["dialect"].startswith("focus"):
        kept = sorted((k.strip(), v.strip()) for k, v in row.raw.items() if k and v and v.strip() not in NULLS)
        cells = [c for k, v in kept if k != "InvoiceId" and not k.lower().startswith("x_") for c in (k, v)]
    else:
        return b""
    text = b"".join(prefixed(c.encode()) for c in cells)
    return hashlib.sha256(text).digest()[:16]


def prefixed(cell):
    """A field with its length before it, seven bits a byte, the lowest first."""
    n, head = len(cell), b""
    while n >= 128:
        head, n = head + bytes([n & 127 | 128]), n >> 7
    return head + bytes([n]) + cell


# Keys that are named by the portal's word for a column.
KEY_FIELDS = {"project_id": "project.id", "compartment_id": "product/compartmentId", "compartment_name": "product/compartmentName",
              "resource_group": "ResourceGroup"}


def key_value(row, column):
    if column.startswith("tag:"):
        tags = row.text("Tags", "labels")
        try:
            value = json.loads(tags) if tags.startswith("{") else json.loads("{" + tags + "}")
        except ValueError:
            return ""
        return str(value.get(column[4:], ""))
    return row.text(KEY_FIELDS.get(column, column), column)


def moment(text, naive=timezone.utc):
    """A time as the clouds write it; without a zone it is UTC."""
    text = text.strip()
    if text.endswith("Z"):
        text = text[:-1] + "+00:00"
    if "/" in text:
        month, day, year = (int(x) for x in text.split(" ")[0].split("/"))
        return datetime(year + 2000 if year < 100 else year, month, day, tzinfo=naive)
    when = datetime.fromisoformat(text)
    return when if when.tzinfo else when.replace(tzinfo=naive)


def month_of(text, source):
    """The month of a period's beginning in the zone of the source."""
    return moment(text).astimezone(zone_of(source)).strftime("%Y-%m")


def kind_of(category, correction, unsubscribed, billed):
    if category == "Tax":
        return "tax"
    if unsubscribed or (correction and billed < 0):
        return "refund"
    if category in ("Usage", "Purchase"):
        return "adjustment" if correction else "consumption"
    return "adjustment"


def new_line(start, currency, billed):
    line = Line()
    line.start, line.currency, line.billed = start, currency, billed
    line.list = line.contracted = None
    line.sub_account = line.source_key = line.sku = line.region = line.provider = line.product = ""
    line.charging_mode, line.columns = "on_demand", {}
    return line


def focus(row, source):
    billed = row.number("BilledCost")
    line = new_line(moment(row.text("ChargePeriodStart")), row.text("BillingCurrency"), billed)
    line.cycle = month_of(row.text("BillingPeriodStart"), source)
    line.list, line.contracted = row.number("ListCost"), row.number("ContractedCost")
    if source["dialect"] == "focus-azure" and billed != 0:
        line.list, line.contracted = line.list or None, line.contracted or None
    line.sub_account = row.text("SubAccountId")
    line.provider = row.text("ServiceProviderName", "ProviderName")
    line.product, line.sku = row.text("ServiceName"), row.text("SkuId")
    line.region = row.text("RegionId", "Region") or row.text("RegionName")
    category = row.text("ChargeCategory").capitalize()
    line.kind = kind_of(category, row.text("ChargeClass").lower() == "correction", False, billed)
    line.charging_mode = focus_mode(row, source, category)
    line.columns = {name: row.text(name) for name in (
        "PublisherName", "InvoiceIssuerName", "BillingAccountId", "BillingAccountName", "SubAccountName", "ServiceCategory", "SkuPriceId",
        "ChargeDescription", "RegionName", "ChargeClass", "ChargeFrequency", "PricingCategory", "ResourceId", "ResourceName", "ResourceType")}
    line.columns["ChargeCategory"] = category
    return line


def focus_mode(row, source, category):
    if row.text("PricingCategory").lower() == "committed" or row.text("CommitmentDiscountId"):
        kind, spend = row.text("CommitmentDiscountType").lower(), row.text("CommitmentDiscountCategory").lower()
        if "saving" in kind or spend == "spend":
            return "savings_plan"
        if kind or spend == "usage":
            return "reserved"
    frequency = row.text("ChargeFrequency").lower()
    if frequency == "recurring":
        return "subscription"
    if frequency == "one-time":
        chinese = source["dialect"] in ("focus-huawei", "focus-alibaba", "focus-tencent")
        return "subscription" if chinese and category == "Purchase" else "one_time"
    if frequency or category == "Usage":
        return "on_demand"
    return "subscription" if category == "Purchase" else "one_time"


def gcp(row, source):
    cost = row.number("cost")
    line = new_line(moment(row.text("usage_start_time")), row.text("currency"), cost + gcp_credits(row))
    month = row.text("invoice.month")
    line.cycle = month[:4] + "-" + month[4:]
    line.list = row.number("cost_at_list")
    line.source_key = row.text("project.id")
    line.provider = "Google Cloud"
    line.product = row.text("service.description") or row.text("service.id")
    line.sku = row.text("sku.id")
    line.region = row.text("location.region") or row.text("location.location")
    category, line.charging_mode = gcp_category(row)
    line.kind = kind_of(category, False, False, line.billed)
    line.columns = {"ChargeCategory": category, "BillingAccountId": row.text("billing_account_id"), "PublisherName": row.text("seller_name")}
    return line


def gcp_credits(row):
    """What the credits add: the list counts, and the flattened column only where there is no list."""
    text = row.text("credits")
    if text and text != "[]":
        try:
            credits = json.loads(text, parse_float=Decimal, parse_int=Decimal)
        except ValueError:
            credits = python_list(text)
        return sum((Decimal(str(c["amount"])) for c in credits if c.get("amount") is not None), Decimal(0))
    return row.number("credits_amount") or Decimal(0)


def python_list(text):
    """A list as Python prints it, its numbers kept as written."""
    tree = ast.parse(text, mode="eval").body

    def value(node):
        if isinstance(node, ast.List):
            return [value(x) for x in node.elts]
        if isinstance(node, ast.Dict):
            return {value(k): value(v) for k, v in zip(node.keys, node.values)}
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -value(node.operand)
        if isinstance(node, ast.Constant):
            if isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
                return Decimal(ast.get_source_segment(text, node))
            return node.value
        raise ValueError("credits list: " + ast.dump(node))

    return value(tree)


def gcp_category(row):
    kind = row.text("cost_type")
    if kind == "tax":
        return "Tax", "one_time"
    if kind in ("adjustment", "rounding_error", "roundoff") or row.text("adjustment_info.id") or row.text("adjustment_info.type"):
        return "Adjustment", "one_time"
    if row.text("sku.description").lower().startswith("commitment"):
        return "Purchase", "subscription"
    return "Usage", "on_demand"


CUR = {"Usage": ("Usage", "on_demand"), "DiscountedUsage": ("Usage", "reserved"), "SavingsPlanCoveredUsage": ("Usage", "savings_plan"),
       "SavingsPlanNegation": ("Usage", "savings_plan"), "Fee": ("Purchase", "one_time"), "RIFee": ("Purchase", "reserved"),
       "SavingsPlanRecurringFee": ("Purchase", "savings_plan"), "SavingsPlanUpfrontFee": ("Purchase", "savings_plan"),
       "Refund": ("Purchase", "one_time"), "Tax": ("Tax", "one_time"), "Credit": ("Credit", "one_time"),
       "BundledDiscount": ("Credit", "on_demand"), "EdpDiscount": ("Credit", "on_demand"), "PrivateRateDiscount": ("Credit", "on_demand"),
       "RiVolumeDiscount": ("Credit", "reserved"), "SppDiscount": ("Credit", "on_demand"), "DistributorDiscount": ("Credit", "on_demand"),
       "SavingsPlanDiscount": ("Credit", "savings_plan"), "SolutionProviderDiscount": ("Credit", "on_demand")}


def aws_cur(row, source):
    billed = row.number("lineItem/UnblendedCost")
    line = new_line(moment(row.text("lineItem/UsageStartDate")), row.text("lineItem/CurrencyCode"), billed)
    line.cycle = month_of(row.text("bill/BillingPeriodStartDate"), source)
    line.list = row.number("pricing/publicOnDemandCost")
    line.sub_account = row.text("lineItem/UsageAccountId")
    line.provider = "AWS"
    line.product = row.text("product/ProductName", "product/servicename") or row.text("lineItem/ProductCode")
    line.sku = row.text("product/sku") or row.text("lineItem/UsageType")
    line.region = row.text("product/regionCode", "product/region")
    kind = row.text("lineItem/LineItemType")
    category, line.charging_mode = CUR.get(kind, ("Adjustment", "one_time"))
    line.kind = kind_of(category, False, kind == "Refund", billed)
    line.columns = {"ChargeCategory": category}
    return line


def oci(row, source):
    billed = row.number("cost/myCost")
    if billed is None:
        billed = row.number("cost/myCostOverage")
    start = row.text("lineItem/intervalUsageStart")
    line = new_line(moment(start), row.text("cost/currencyCode"), billed)
    line.cycle = month_of(start, source)
    line.source_key = row.text("product/compartmentId")
    line.provider, line.product, line.region = "Oracle", row.text("product/service"), row.text("product/region")
    line.sku = row.text("cost/productSku")
    line.kind = kind_of("Usage", row.text("lineItem/isCorrection").lower() == "true", False, billed)
    line.columns = {"ChargeCategory": "Usage"}
    return line


AZURE = {"": "Usage", "usage": "Usage", "purchase": "Purchase", "refund": "Purchase", "tax": "Tax", "credit": "Credit"}


def azure(row, source):
    billed = row.number("CostInBillingCurrency", "Cost", "PreTaxCost", "ExtendedCost")
    date = row.text("Date", "UsageDateTime", "UsageDate")
    line = new_line(moment(date), row.text("BillingCurrency", "BillingCurrencyCode", "Currency", "CurrencyCode"), billed)
    line.cycle = month_of(row.text("BillingPeriodStartDate", "BillingPeriodStart") or date, source)
    line.list = row.number("PaygCostInBillingCurrency")
    line.sub_account = row.text("SubscriptionId", "SubscriptionGuid")
    line.provider, line.product = "Microsoft", row.text("MeterCategory", "ServiceName", "ConsumedService")
    line.sku, line.region = row.text("MeterId"), row.text("ResourceLocation", "ResourceLocationNormalized")
    charge = row.text("ChargeType").lower()
    category = AZURE.get(charge, "Adjustment")
    line.kind = kind_of(category, False, charge == "refund", billed)
    line.charging_mode = azure_mode(row, category)
    line.columns = {"ChargeCategory": category}
    return line


def azure_mode(row, category):
    model, frequency = row.text("PricingModel").lower(), row.text("Frequency").lower()
    if "savings" in model or "savingsplan" in row.text("benefitId").lower():
        return "savings_plan"
    if "reserv" in model or row.text("ReservationId"):
        return "reserved"
    if frequency == "recurring":
        return "subscription"
    return "one_time" if frequency == "onetime" or category != "Usage" else "on_demand"


OWN = {"usage": "Usage", "purchase": "Purchase", "refund": "Purchase", "adjustment": "Adjustment", "credit": "Credit", "tax": "Tax"}


def huoban(row, source):
    billed = row.number("billed")
    line = new_line(moment(row.text("charge_start"), zone_of(source)), row.text("currency"), billed)
    line.cycle = row.text("cycle")
    line.list, line.contracted = row.number("list"), row.number("contracted")
    line.sub_account, line.source_key = row.text("sub_account"), row.text("key")
    line.provider, line.product = row.text("provider"), row.text("product")
    line.sku, line.region = row.text("sku"), row.text("region")
    kind = row.text("category").lower()
    category = OWN[kind]
    line.kind = kind_of(category, False, kind == "refund", billed)
    line.charging_mode = row.text("charging_mode") or {"Usage": "on_demand", "Purchase": "subscription"}.get(category, "one_time")
    line.columns = {"ChargeCategory": category}
    return line


READERS = {"focus": focus, "focus-aws": focus, "focus-azure": focus, "focus-huawei": focus, "focus-alibaba": focus, "focus-tencent": focus,
           "gcp": gcp, "aws-cur": aws_cur, "oci": oci, "azure-cost": azure, "huoban": huoban}
