"""Huawei Cloud partner bills: customerBill (CSV in tar.gz) and 伙伴账单明细 (CSV or workbook), read from
the same description as the portal's readers, with nothing of them."""
import csv
import io
import re
import tarfile
import zipfile
from datetime import datetime, timedelta, timezone
from xml.etree import ElementTree

import rawfiles

BEIJING = timezone(timedelta(hours=8))
TOTALS = ("合计", "总计", "小计", "Total")
MODES = {"0": ("subscription", False), "1": ("on_demand", True), "2": ("reserved", False), "3": ("reserved", True),
         "4": ("savings_plan", False), "5": ("savings_plan", True), "6": ("savings_plan", True)}
MODE_NAMES = (("包年", "0"), ("yearly", "0"), ("按需", "1"), ("pay-per-use", "1"), ("预留实例-按时", "3"), ("预留实例", "2"), ("节省计划-订购", "4"),
              ("节省计划", "5"), ("savings plans-subscription", "4"), ("savings", "5"), ("reserved instance-hourly", "3"), ("reserved", "2"))
KINDS = {"消费": "consumption", "expenditure": "consumption", "退款": "refund", "refund": "refund", "调账": "adjustment",
         "adjustment": "adjustment", "税金": "tax", "tax": "tax"}


def tables(path):
    """Each table of a delivered file: its name, and its rows as header name → text."""
    if path.endswith(".tar.gz"):
        with tarfile.open(path) as archive:
            for member in sorted(archive.getmembers(), key=lambda m: m.name):
                yield member.name, text_rows(archive.extractfile(member).read())
    elif path.endswith(".xlsx"):
        yield path, sheet_rows(path)
    else:
        with open(path, "rb") as f:
            yield path, text_rows(f.read())


def text_rows(raw):
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def sheet_rows(path):
    """The rows of the sheet that has the customer's column; strings stand in place or in the table."""
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(path) as book:
        shared = []
        if "xl/sharedStrings.xml" in book.namelist():
            shared = ["".join(t.text or "" for t in item.iter(space + "t")) for item in ElementTree.fromstring(book.read("xl/sharedStrings.xml"))]
        for name in sorted(n for n in book.namelist() if n.startswith("xl/worksheets/sheet")):
            header, out = None, []
            for row in ElementTree.fromstring(book.read(name)).iter(space + "row"):
                cells = {}
                for cell in row.iter(space + "c"):
                    value, text = cell.find(space + "v"), "".join(t.text or "" for t in cell.iter(space + "t"))
                    if value is not None:
                        text = shared[int(value.text)] if cell.get("t") == "s" else value.text
                    cells[re.sub("[0-9]", "", cell.get("r"))] = text
                if header is None:
                    if "客户ID" in cells.values() or "Customer ID" in cells.values():
                        header = cells
                else:
                    out.append({title: cells.get(at, "") for at, title in header.items()})
            if header is not None:
                return out
    return []


def currency_of(cells):
    """The currency in the header of the amount."""
    for name in cells:
        found = re.match(r"^(?:客户消费金额|Customer Expenditure)\s*[(（](.+)[)）]$", name or "")
        if found:
            return found.group(1), name
    raise ValueError("no amount with a currency")


def line(cells, file):
    """One row; None for a total."""
    row = rawfiles.Row(cells)
    if row.text("客户ID", "Customer ID") in TOTALS:
        return None
    currency, amount = currency_of(cells)
    billed = row.number(amount)
    month = row.text("账期", "Billing Cycle")
    if not month:
        month = "-".join(re.findall(r"customerBill_([0-9]{4})([0-9]{2})", file)[-1])
    code = row.text("计费模式", "Billing Mode").lower().replace("–", "-")
    mode, by_use = MODES[code if code in MODES else next(c for name, c in MODE_NAMES if code.startswith(name))]
    out = rawfiles.new_line(start_of(row, month, by_use), currency, billed)
    out.cycle, out.charging_mode, out.contracted = month, mode, billed
    listed = [name for name in cells if name and re.match(r"^(官网页面价|官网价|Official Website Price)", name)]
    out.list = row.number(*listed) if listed else None
    out.sub_account = row.text("客户ID", "Customer ID")
    out.provider = "Huawei Cloud"
    service_code = row.text("产品类型编码", "Product Type Code")
    out.product = row.text("产品类型", "Product Type") or service_code
    out.sku = row.text("产品ID", "Product ID")
    out.region = row.text("云服务区编码", "Region Code") or row.text("区域", "Region")
    kind = row.text("账单类型", "Bill Type").split("-")[0].lower()
    given_back = row.text("订单类型", "Order Type").lower() in ("退订", "unsubscription")
    out.kind = KINDS[kind] if kind else "consumption"
    if out.kind == "consumption" and given_back and billed < 0:
        out.kind = "refund"
    out.columns = {"ServiceCategory": service_code, "RegionName": row.text("区域", "Region"), "BillingAccountId": row.text("伙伴ID", "Partner ID"),
                   "PublisherName": out.provider, "InvoiceIssuerName": out.provider}
    return out


def start_of(row, month, by_use):
    """A use is dated by its end and begins a second before; an order by its payment; else the month."""
    text = row.text("客户交易时间", "Customer Transaction Time")
    if not text:
        return datetime(int(month[:4]), int(month[5:]), 1, tzinfo=BEIJING)
    at = datetime.fromisoformat(text.replace(" GMT", ""))
    return at - timedelta(seconds=1) if by_use else at
