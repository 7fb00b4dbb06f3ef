"""Which settlement price applies to a line, from the price CSV alone."""
import csv
from collections import namedtuple
from decimal import Decimal

Rule = namedtuple("Rule", "partner customer provider product charging_mode region type base factor start end")
RANK = {"special": 4, "no_discount": 3, "promotion": 2, "normal": 1,
        "特价": 4, "无折扣": 3, "促销": 2, "普通": 1}
NONE = Rule("", "", "", "", "", "", "normal", "billed", Decimal(1), "", "")


class Book:
    def __init__(self, paths):
        self.rules = []
        for path in paths:
            with open(path, encoding="utf-8-sig", newline="") as f:
                for row in csv.DictReader(f):
                    self.rules.append(Rule(row["partner"], row["customer"], row["provider"], row["product"],
                                           row["charging_mode"], row["region"], row["type"] or "normal",
                                           row["base"] or "billed", Decimal(row["factor"]),
                                           row["valid_from"], row["valid_to"]))

    def choose(self, line, buyer, seller, customer):
        """seller is the distributor of a reseller, or empty where the vendor itself sells."""
        fit = [r for r in self.rules if self.fits(r, line, buyer, seller, customer)]
        if not fit:
            return NONE
        sku = line.sku.lower()
        return max(fit, key=lambda r: (RANK[r.type], sum(1 for v in r[:6] if v), r.product != "" and r.product.lower() == sku))

    @staticmethod
    def fits(rule, line, buyer, seller, customer):
        if rule.partner != buyer and (rule.partner or seller):
            return False
        if rule.customer and rule.customer != customer:
            return False
        wants = ((rule.provider, (line.provider,)), (rule.product, (line.product, line.sku)),
                 (rule.charging_mode, (line.charging_mode,)), (rule.region, (line.region,)))
        if any(want and want.lower() not in [h.lower() for h in has] for want, has in wants):
            return False
        day = line.local_day()
        return (not rule.start or day >= rule.start) and (not rule.end or day < rule.end)
