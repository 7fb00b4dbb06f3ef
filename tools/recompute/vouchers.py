"""Which voucher pays how much of which line, from docs/month-close.md (Vouchers) and the list of vouchers alone."""
from decimal import Decimal

import attribute

LIMITS = {"customers": lambda line, customer: customer, "services": lambda line, customer: line.product,
          "products": lambda line, customer: line.sku, "regions": lambda line, customer: line.region,
          "modes": lambda line, customer: line.charging_mode}


class Voucher:
    def __init__(self, facts):
        self.facts = facts
        self.number = facts["number"]
        self.left = Decimal(facts["face"])
        self.start, self.end = attribute.instant(facts["from"]), attribute.instant(facts["to"])

    def rank(self):
        """Vouchers for named customers first, then those that end first, then the older."""
        return (0 if self.facts.get("customers") else 1, self.end, self.number)

    def fits(self, line, customer, amount):
        if not self.start <= line.start < self.end:
            return False
        if any(self.facts.get(name) and of(line, customer) not in self.facts[name] for name, of in LIMITS.items()):
            return False
        least, most = Decimal(self.facts.get("min_order") or 0), Decimal(self.facts.get("max_order") or 0)
        return amount >= least and (most == 0 or amount <= most)


def bought(sold):
    """The order in which lines are paid: when they were bought, then customer, source and line key; parts of lines that
    are spread come after a customer's own of the same moment."""
    line, customer, _ = sold
    return (line.start, customer, 1 if line.shared else 0, line.source["name"], line.key or b"")


def pay(bills, facts):
    """Pays every bill with its partner's vouchers, month by month; what a bill leaves is there for the next."""
    held = {}
    for fact in facts:
        held.setdefault((fact["partner"], fact["currency"]), []).append(Voucher(fact))
    for key in sorted(bills, key=lambda k: (k[1], k[0], k[2], k[3])):
        partner, cycle, currency, _ = key
        mine = sorted((v for v in held.get((partner, currency), []) if v.facts.get("first", "") <= cycle), key=Voucher.rank)
        for sold in sorted(bills[key].sold, key=bought):
            line, customer, amount = sold
            left = amount
            for voucher in mine:
                if left <= 0 or voucher.left <= 0 or not voucher.fits(line, customer, amount):
                    continue
                part = min(left, voucher.left)
                voucher.left -= part
                left -= part
                bills[key].paid.append((voucher.number, line, customer, amount, part))
