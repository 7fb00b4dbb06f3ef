#!/usr/bin/env python3
"""Work out what persons see on 消费汇总, 消费明细, 消费看板 and 客户看板, without the portal.

Like recompute.py this program shares no code with the portal and never opens its database. It was written
from docs/expenditure.md and docs/attribution.md. Only the Python standard library is used, and all
arithmetic is decimal.

    seen.py WORLD.json

WORLD.json names the raw files, the mapping and who belonged to whom (see README.md beside this file). The
answer is one JSON document on standard output. Exit code 0: done; 2: the input is unusable.
"""
import hashlib
import json
import os
import sys
from collections import namedtuple
from datetime import datetime, timedelta, timezone
from decimal import Decimal, getcontext

import attribute
import rawfiles
from recompute import text

getcontext().prec = 120
BEIJING = timezone(timedelta(hours=8))
GROUPINGS = ("product", "mode", "relation", "manager", "customer")

# How many days after the one of the assignment a page begins to count, at midnight of GMT+8; None is the
# very moment.
BEGINS = {"expenditure": 1, "dashboard": None}

Span = namedtuple("Span", "customer partner relation start end")
Seen = namedtuple("Seen", "line customer relation manager")


def instant(value):
    return datetime.fromisoformat(value.replace("Z", "+00:00")) if value else None


def holds(start, end, when):
    return (start is None or when >= start) and (end is None or when < end)


def counted(start, page):
    days = BEGINS[page]
    if start is None or days is None:
        return start
    local = start.astimezone(BEIJING)
    return local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days)


class World:
    def __init__(self, path):
        folder = os.path.dirname(os.path.abspath(path))
        with open(path, encoding="utf-8") as f:
            self.facts = json.load(f)
        self.months = self.facts["months"]
        self.now = instant(self.facts["now"])
        sources = {s["name"]: s for s in self.facts["sources"]}
        mapping = attribute.Mapping([os.path.join(folder, name) for name in self.facts["maps"]], sources)
        lines = []
        for source in self.facts["sources"]:
            for name in source["files"]:
                lines.extend(rawfiles.read(os.path.join(folder, name), source))
        self.lines = {}
        for line, place in attribute.place(mapping, lines, sources):
            if place is not None:
                self.lines.setdefault(place.customer, []).append(line)
        self.resellers = {}
        for org in self.facts["organisations"]:
            if org["kind"] == "reseller":
                self.resellers.setdefault(org["parent"], []).append(org["code"])
        self.associations = [dict(a, start=instant(a["from"]), end=instant(a["to"]), created=instant(a["created"]))
                             for a in self.facts["associations"]]
        self.associations = [a for a in self.associations if a["start"] is None or a["end"] is None or a["start"] < a["end"]]
        self.cares = [dict(a, start=instant(a["from"]), end=instant(a["to"])) for a in self.facts["assignments"]]
        self.cares = [a for a in self.cares if a["end"] is None or a["start"] < a["end"]]

    def windows(self, actor, customer):
        """When the actor looked after the customer, as intervals that do not touch; None is always."""
        if "people" not in actor:
            return None
        own = sorted((a["start"], a["end"]) for a in self.cares
                     if a["partner"] == actor["org"] and a["customer"] == customer and a["manager"] in actor["people"])
        out = []
        for start, end in own:
            if out and (out[-1][1] is None or start <= out[-1][1]):
                if out[-1][1] is not None and (end is None or end > out[-1][1]):
                    out[-1] = (out[-1][0], end)
                continue
            out.append((start, end))
        return out

    def spans(self, actor):
        """Whose lines an actor may see, and while it belonged to whom."""
        org = actor["org"]
        if actor["side"] == "customer":
            return [Span(org, "", "", None, None)]
        out = [] if "people" in actor else [Span(org, org, "", None, None)]
        for a in self.associations:
            if a["partner"] == org or a["partner"] in self.resellers.get(org, []):
                out.append(Span(a["customer"], a["partner"], a["kind"], a["start"], a["end"]))
        return out

    def manager(self, span, when, page):
        """The login of whoever looked after the customer, as the page counts it."""
        for a in self.cares:
            if a["partner"] == span.partner and a["customer"] == span.customer and holds(counted(a["start"], page), a["end"], when):
                return a["manager"]
        return ""

    def seen(self, actor, page):
        """Every line the actor sees on a page."""
        for span in self.spans(actor):
            windows = self.windows(actor, span.customer)
            for line in self.lines.get(span.customer, []):
                if not holds(span.start, span.end, line.start):
                    continue
                if windows is not None and not any(holds(counted(start, page), end, line.start) for start, end in windows):
                    continue
                manager = "" if actor["side"] == "customer" else self.manager(span, line.start, page)
                yield Seen(line, span.customer, span.relation, manager)


def digest(rows):
    """One hash of rows in no order."""
    return hashlib.sha256("\n".join(sorted(rows)).encode()).hexdigest()


def discount(line):
    return Decimal(0) if line.list is None else line.list - line.billed


def summary(seen):
    rows = {}
    for s in seen:
        key = (s.customer, s.relation, s.line.product, s.line.charging_mode)
        row = rows.setdefault(key, {"lines": 0, "consumption": Decimal(0), "refund": Decimal(0), "adjustment": Decimal(0),
                                    "discount": Decimal(0), "tax": Decimal(0)})
        row["lines"] += 1
        row[s.line.kind] += s.line.billed
        if s.line.kind != "tax":
            row["discount"] += discount(s.line)
    written, total = [], {}
    for key, row in rows.items():
        row["amount"] = row["consumption"] + row["refund"] + row["adjustment"]
        written.append("|".join(key + tuple(str(row["lines"]) if f == "lines" else text(row[f]) for f in
                                            ("lines", "consumption", "refund", "adjustment", "discount", "tax", "amount"))))
        for name, value in row.items():
            total[name] = total.get(name, 0) + value
    return dict({name: text(Decimal(value)) for name, value in sorted(total.items())}, rows=len(rows), sha256=digest(written))


def details(seen):
    written, amount, tax = [], Decimal(0), Decimal(0)
    for s in seen:
        line = s.line
        if line.kind == "tax":
            tax += line.billed
        else:
            amount += line.billed
        start = line.start.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        written.append("|".join((start, s.customer, s.relation, s.manager, line.product, line.region, line.charging_mode, line.kind,
                                 "" if line.list is None else text(line.list), text(line.billed))))
    return {"rows": len(written), "amount": text(amount), "tax": text(tax), "sha256": digest(written)}


def group(seen, by):
    return {"product": seen.line.product, "mode": seen.line.charging_mode, "relation": seen.relation, "manager": seen.manager,
            "customer": seen.customer}[by]


def board(seen, months):
    """Amounts by grouping, group and month, the total last."""
    out = {}
    for by in GROUPINGS:
        groups = {}
        for s in seen:
            if s.line.kind != "tax":
                row = groups.setdefault(group(s, by), [Decimal(0)] * (len(months) + 1))
                row[months.index(s.line.cycle)] += s.line.billed
                row[-1] += s.line.billed
        out[by] = {name: [text(x) for x in row] for name, row in sorted(groups.items())}
    return out


def census(world, actor, running, contribution):
    """What 客户看板 counts. running are the customers that consumed in the running month."""
    org, now = actor["org"], world.now
    mine = set()
    for a in world.associations:
        windows = world.windows(actor, a["customer"])
        if a["partner"] == org and (windows is None or any(holds(start, end, now) for start, end in windows)):
            mine.add(a["customer"])
    own = [a for a in world.associations if a["partner"] == org and a["customer"] in mine and (a["start"] or a["created"]) <= now]
    current = [a for a in own if holds(a["start"], a["end"], now)]
    local = now.astimezone(BEIJING)
    quarter = local.replace(month=(local.month - 1) // 3 * 3 + 1, day=1, hour=0, minute=0, second=0, microsecond=0)
    cared = {a["customer"] for a in world.cares if a["partner"] == org and holds(a["start"], a["end"], now)}
    month = {m: [0, 0] for m in world.months}
    for a in own:
        for i, at in enumerate((a["start"] or a["created"], a["end"])):
            name = at and at.astimezone(BEIJING).strftime("%Y-%m")
            if name in month and at <= now:
                month[name][i] += 1
    kinds = {k: sum(1 for a in current if a["kind"] == k) for k in ("resale", "referral")}
    return {"count": len(current), "associations": len(own), "spending": sum(1 for a in current if a["customer"] in running),
            "quarter": sum(1 for a in own if (a["start"] or a["created"]) >= quarter),
            "unassigned": sum(1 for a in current if a["customer"] not in cared), "kinds": kinds,
            "months": [month[m] for m in world.months], "contribution": {name: row[-1] for name, row in contribution.items()}}


def sight(world, actor):
    out = {"summary": {}, "details": {}}
    listed = list(world.seen(actor, "expenditure"))
    for m in world.months:
        of_month = [s for s in listed if s.line.cycle == m]
        out["summary"][m], out["details"][m] = summary(of_month), details(of_month)
    if actor["side"] == "customer":
        return out  # a customer has no dashboards
    drawn = [s for s in world.seen(actor, "dashboard") if s.line.cycle in world.months]
    out["board"] = board(drawn, world.months)
    current = world.now.astimezone(BEIJING).strftime("%Y-%m")
    running = {s.customer for s in listed if s.line.cycle == current}
    out["customers"] = census(world, actor, running, out["board"]["customer"])
    return out


def main(argv):
    if len(argv) != 2 or argv[1] in ("-h", "--help"):
        print(__doc__)
        return 0 if len(argv) == 2 else 2
    try:
        world = World(argv[1])
        seen = {actor["name"]: sight(world, actor) for actor in world.facts["actors"]}
    except (OSError, KeyError, ValueError, ArithmeticError) as problem:
        print("unusable input: %s: %s" % (type(problem).__name__, problem), file=sys.stderr)
        return 2
    print(json.dumps({"months": world.months, "seen": seen}, ensure_ascii=False, indent=1, sort_keys=True))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
