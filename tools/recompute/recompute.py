#!/usr/bin/env python3
"""Recompute closed bills from raw files, a mapping CSV and a price CSV, and compare.

This program shares no code with the portal and never opens its database. It was written from
docs/formats.md, docs/attribution.md, docs/price.md and docs/month-close.md, so that one mistake in
the portal is not repeated here. Only the Python standard library is used, and all arithmetic is
decimal; a binary fraction never appears.

    recompute.py WORLD.json [BILL.json …]

WORLD.json names the raw files and what the operator declared (see README.md beside this file). Each
BILL.json is the output of `portal bill --format json`. Exit code 0: every figure agrees; 1: a figure
differs, and each difference is named; 2: the input is unusable.
"""
import json
import os
import sys
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, getcontext

import attribute
import price
import rawfiles
import vouchers

getcontext().prec = 120

E8 = Decimal("0.00000001")
MINOR = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "KWD": 3, "BHD": 3, "OMR": 3, "TND": 3, "JOD": 3}
FIGURES = ("line_count", "consumption", "refund", "adjustment", "coupon", "rounding", "tax", "amount_due",
           "source_total", "exact_total", "residue")


def e8(exact):
    """One rounding to eight decimals, half away from zero."""
    return exact.quantize(E8, rounding=ROUND_HALF_UP)


def text(value):
    """The portal's canonical decimal: no exponent, no trailing zeros, no negative zero."""
    if value == 0:
        return "0"
    out = format(value, "f")
    if "." in out:
        out = out.rstrip("0").rstrip(".")
    return out


class Bill:
    """The running figures of one bill."""

    def __init__(self, tax_in_due=False):
        self.lines = 0
        self.tax_in_due = tax_in_due
        self.sums = {"consumption": Decimal(0), "refund": Decimal(0), "adjustment": Decimal(0), "tax": Decimal(0)}
        self.source = Decimal(0)
        self.exact = Decimal(0)
        self.sold = []  # (line, customer, amount) that vouchers may pay
        self.paid = []  # (voucher, line, customer, amount, part) that they pay

    def add(self, kind, source, exact, lines=1):
        self.lines += lines
        self.sums[kind] += e8(exact)
        if kind != "tax":
            self.source += source
            self.exact += exact

    def add_rounded(self, kind, source, exact, rounded, lines):
        """A sum that was rounded line by line before it came here (an adjustment)."""
        self.lines += lines
        self.sums[kind] += rounded
        if kind != "tax":
            self.source += source
            self.exact += exact

    def figures(self, currency):
        coupon = -sum((part for *_, part in self.paid), Decimal(0))
        stored = self.sums["consumption"] + self.sums["refund"] + self.sums["adjustment"] + coupon
        total = stored + (self.sums["tax"] if self.tax_in_due else 0)
        step = Decimal(1).scaleb(-MINOR.get(currency, 2))
        cut = total.quantize(step, rounding=ROUND_DOWN)
        return {
            "line_count": self.lines + len(self.paid),
            "consumption": text(self.sums["consumption"]),
            "refund": text(self.sums["refund"]),
            "adjustment": text(self.sums["adjustment"]),
            "coupon": text(coupon),
            "rounding": text(cut - total),
            "tax": text(self.sums["tax"]),
            "amount_due": text(max(cut, Decimal(0))),
            "source_total": text(self.source),
            "exact_total": text(self.exact + coupon),
            "residue": text(self.exact + coupon - stored),
        }


class World:
    """Everything the operator handed over, read from plain files."""

    def __init__(self, path):
        self.folder = os.path.dirname(os.path.abspath(path))
        with open(path, encoding="utf-8") as f:
            self.facts = json.load(f)
        self.sources = {s["name"]: s for s in self.facts["sources"]}
        self.parents = self.facts.get("parents", {})
        self.entity = self.facts.get("entities", {})
        self.mapping = attribute.Mapping(self.load_maps("map"), self.sources)
        self.rules = price.Book(self.path(p) for p in as_list(self.facts.get("price")))
        self.lines = []
        for source in self.facts["sources"]:
            source["keys"] = "vouchers" in self.facts  # they order what vouchers pay, and cost time
            for name in source["files"]:
                self.lines.extend(rawfiles.read(self.path(name), source))

    def path(self, name):
        return os.path.join(self.folder, name)

    def load_maps(self, key):
        return [self.path(p) for p in as_list(self.facts.get(key))]


def as_list(value):
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def buyers(world, place):
    """The partners billed for a line: the customer's partner, and its distributor if it has one."""
    if place is None or place.association != "resale":
        return []
    out = [(place.partner, world.parents.get(place.partner, ""))]
    if out[0][1]:
        out.append((out[0][1], ""))
    return out


def recompute(world):
    """Bills by (partner, cycle, currency, entity)."""
    bills = {}

    def bill(partner, cycle, currency, source):
        entity = source.get("entity") or world.entity.get(partner) or world.facts.get("entity", "")
        key = (partner, cycle, currency, entity)
        if key not in bills:
            bills[key] = Bill(entity in world.facts.get("tax_in_due", []))
        return bills[key]

    placed = attribute.place(world.mapping, world.lines, world.sources)
    for line, place in placed:
        for buyer, seller in buyers(world, place):
            rule = world.rules.choose(line, buyer, seller, place.customer)
            owed = line.base(rule.base) * rule.factor
            document = bill(buyer, line.cycle, line.currency, line.source)
            document.add(line.kind, line.billed, owed)
            if not seller and line.kind == "consumption":
                document.sold.append((line, place.customer, e8(owed)))
    for remap in world.facts.get("remaps", []):
        for side in remap_sides(world, remap, placed):
            target = bill(side["partner"], remap["into"], side["currency"], world.sources[side["source"]])
            target.add_rounded(side["kind"], side["base"], side["exact"], side["rounded"], side["lines"])
    for entry in world.facts.get("staff", []):
        amount = Decimal(entry["amount"])
        source = world.sources[world.facts["sources"][0]["name"]]
        bill(entry["partner"], entry["into"], entry["currency"], source).add("adjustment", amount, amount)
    vouchers.pay(bills, world.facts.get("vouchers", []))
    return bills


def remap_sides(world, remap, placed):
    """The out and in lines of every key that a later mapping moved in a closed cycle."""
    later = attribute.Mapping([world.path(remap["map"])], world.sources)
    sides = {}
    for (line, before), (_, after) in zip(placed, attribute.place(later, world.lines, world.sources)):
        if line.cycle != remap["cycle"] or same(before, after):
            continue
        kind = "tax" if line.kind == "tax" else "adjustment"
        for place, sign, name in ((before, -1, "out"), (after, 1, "in")):
            for buyer, seller in buyers(world, place):
                rule = world.rules.choose(line, buyer, seller, place.customer)
                owed = line.base(rule.base) * rule.factor * sign
                key = (line.source["name"], line.map_key, line.currency, name, buyer, kind)
                side = sides.setdefault(key, {"source": key[0], "key": key[1], "currency": key[2], "side": name,
                                              "partner": buyer, "kind": kind, "customer": place.customer, "base": Decimal(0),
                                              "exact": Decimal(0), "rounded": Decimal(0), "lines": 0})
                side["base"] += line.billed * sign
                side["exact"] += owed
                side["rounded"] += e8(owed)
                side["lines"] += 1
    return [sides[k] for k in sorted(sides)]


def same(a, b):
    if a is None or b is None:
        return a is b
    return a.customer == b.customer


def compare(bills, documents):
    """Every difference between our figures and the portal's, as sentences."""
    wrong, seen = [], set()
    for doc in documents:
        key = (doc["partner"], doc["cycle"], doc["currency"], doc.get("entity", ""))
        match = [k for k in bills if k[:3] == key[:3] and (k[3] == key[3] or k[3] == "")]
        if not match:
            wrong.append("%s %s %s %s: the portal has a bill, the raw files give none" % key)
            continue
        seen.add(match[0])
        ours = bills[match[0]].figures(doc["currency"])
        for name in FIGURES:
            if str(doc[name]) != str(ours[name]):
                wrong.append("%s %s %s %s: %s is %s, recomputed %s" % (*key, name, doc[name], ours[name]))
        if "lines" in doc:
            wrong.extend(compare_uses(key, doc["lines"], bills[match[0]].paid))
    compared = {(d["partner"], d["cycle"]) for d in documents}
    for key in sorted(bills):
        if key not in seen and key[:2] in compared:
            wrong.append("%s %s %s %s: the raw files give a bill, the portal has none" % key)
    return wrong


def compare_uses(key, lines, paid):
    """What vouchers pay, line by line and in order, where the portal's bill lists its lines."""
    theirs = [(row["rule"], rawfiles.moment(row["charge_start"]), row["customer"], row["source"], row.get("product", ""), row.get("sku", ""),
               row.get("region", ""), row["base_amount"], row["amount"]) for row in lines if row["kind"] == "coupon"]
    ours = [(number, line.start, customer, line.source["name"], line.product, line.sku, line.region, text(amount), text(-part))
            for number, line, customer, amount, part in paid]
    for n in range(max(len(theirs), len(ours))):
        a, b = (list(side[n]) if n < len(side) else None for side in (theirs, ours))
        if a != b:
            return ["%s %s %s %s: use %d of a voucher is %s, recomputed %s" % (*key, n + 1, a, b)]
    return []


def main(argv):
    if len(argv) < 2 or argv[1] in ("-h", "--help"):
        print(__doc__)
        return 0 if len(argv) > 1 else 2
    try:
        world = World(argv[1])
        bills = recompute(world)
        documents = []
        for name in argv[2:]:
            with open(name, encoding="utf-8") as f:
                documents.extend(json.load(f)["bills"])
    except (OSError, KeyError, ValueError, ArithmeticError) as problem:
        print("unusable input: %s: %s" % (type(problem).__name__, problem), file=sys.stderr)
        return 2
    if not documents:
        out = [dict(zip(("partner", "cycle", "currency", "entity"), k), **bills[k].figures(k[2])) for k in sorted(bills)]
        print(json.dumps({"bills": out}, ensure_ascii=False, indent=2))
        return 0
    wrong = compare(bills, documents)
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    if not wrong:
        print("%d bills agree to the last digit" % len(documents))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
