"""Which customer and partner a line belongs to, from the mapping CSV alone."""
import csv
from collections import namedtuple
from decimal import Decimal
from datetime import datetime, timezone

Place = namedtuple("Place", "customer partner association")
Rule = namedtuple("Rule", "source key customer partner association start end")


def instant(value):
    """A map CSV time: empty is unbounded, a bare date is midnight UTC."""
    if not value:
        return None
    if len(value) == 10:
        value += "T00:00:00+00:00"
    when = datetime.fromisoformat(value.replace("Z", "+00:00"))
    return when if when.tzinfo else when.replace(tzinfo=timezone.utc)


class Mapping:
    def __init__(self, paths, sources):
        self.rules = {}
        self.partners = {}
        for path in paths:
            with open(path, encoding="utf-8-sig", newline="") as f:
                for row in csv.DictReader(f):
                    rule = Rule(row["source"], row["key"], row["customer"], row["partner"], row["association"],
                                instant(row.get("valid_from")), instant(row.get("valid_to")))
                    self.rules.setdefault((rule.source, rule.key), []).append(rule)
                    if rule.partner:
                        self.partners.setdefault(rule.customer, rule)

    def find(self, source, key, when):
        """The newest rule of the key that is valid at the charge time."""
        for rule in reversed(self.rules.get((source, key), [])):
            if (rule.start is None or when >= rule.start) and (rule.end is None or when < rule.end):
                return rule
        return None

    def of_customer(self, code):
        rule = self.partners.get(code)
        return Place(code, rule.partner, rule.association) if rule else Place(code, code, "resale")

    def place(self, line):
        name = line.source["name"]
        keys = ["%s=%s" % (column, value) for column, value in sorted(line.columns.items()) if value]
        for key in keys + [line.sub_account, line.source_key]:
            rule = self.find(name, key, line.start) if key else None
            if rule:
                line.map_key = key
                return Place(rule.customer, rule.partner, rule.association)
        loose = line.source.get("loose", "default")
        if not line.sub_account and not line.source_key and loose != "default":
            return "spread" if loose == "spread" else self.of_customer(loose)
        default = line.source.get("default", "")
        return self.of_customer(default) if default else None


def place(mapping, lines, sources):
    """(line, place) for every line; a spread line becomes one part for each customer."""
    direct, loose = [], []
    for line in lines:
        where = mapping.place(line)
        (loose if where == "spread" else direct).append((line, where))
    weights = {}
    for line, where in direct:
        if where is not None and line.kind != "tax":
            shares = weights.setdefault((line.source["name"], line.cycle, line.currency), {})
            total = shares.get(where.customer, (where, Decimal(0)))[1]
            shares[where.customer] = (where, total + line.billed)
    for line, _ in loose:
        shares = weights.get((line.source["name"], line.cycle, line.currency), {})
        direct.extend(spread(line, shares))
    return direct


def spread(line, shares):
    """Parts by cost share, largest remainder, ties to the smaller code; they sum to the line."""
    positive = {where: total for where, total in shares.values() if total > 0}
    if not positive:
        return [(line, None)]
    order = sorted(positive, key=lambda where: where.customer)
    parts = {}
    for column in ("billed", "list", "contracted"):
        value = getattr(line, column)
        parts[column] = None if value is None else split(value, [positive[w] for w in order])
    out = []
    for i, where in enumerate(order):
        out.append((line.part(shared=True, **{c: None if parts[c] is None else parts[c][i] for c in parts}), where))
    return out


def split(value, weights):
    step = Decimal(1).scaleb(min(-8, value.normalize().as_tuple().exponent))  # zeros at the end are no decimals
    units = int(value / step)
    sign, units = (-1 if units < 0 else 1), abs(units)
    total = sum(weights)
    scale = Decimal(1).scaleb(max(0, -min(w.as_tuple().exponent for w in weights)))
    whole = [int(w * scale) for w in weights]
    all_of = sum(whole)
    assert total >= 0 and all_of > 0
    floor = [units * w // all_of for w in whole]
    rest = sorted(range(len(whole)), key=lambda i: (-(units * whole[i] % all_of), i))
    for i in rest[: units - sum(floor)]:
        floor[i] += 1
    return [step * f * sign for f in floor]
