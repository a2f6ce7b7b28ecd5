"""Compares the two books after a fault run, independently: it shares no code with the sync or with the emulator.

Ours is read with SQL of its own, theirs from the emulator's dump over HTTP. Every record that was issued here must
stand there exactly once and as it is here, or its row must say why it doesn't; and nothing else may stand there.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from bench.faults.our_books import OurBooks, OurCustomer, OurInvoice, OurPayment, OurRecord
from bench.faults.their_books import TheirBooks, TheirCustomer, TheirInvoice, TheirPayment

_MOST_SHOWN = 40
KINDS = ("duplicate", "missing", "foreign", "cents", "account", "tax_code", "content", "not_taken_back")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that isn't as it should be."""

    kind: str
    record: str
    says: str
    cents: int = 0


@dataclass
class Report:
    """What the audit found, and why what isn't there isn't."""

    records: int = 0
    findings: list[Finding] = field(default_factory=list)
    causes: Counter[str] = field(default_factory=Counter)
    # Uncertain customers of whom the firm has a namesake there: whether it's the same one is a person's to say.
    namesakes: int = 0

    def count(self, kind: str) -> int:
        """How many findings of a kind."""
        return sum(finding.kind == kind for finding in self.findings)

    def to_figures(self) -> dict[str, object]:
        """As they're printed and kept."""
        return {
            "records": self.records,
            "duplicates": self.count("duplicate"),
            "missing": self.count("missing"),
            "foreign": self.count("foreign"),
            "cents": sum(finding.cents for finding in self.findings),
            "wrong_accounts": self.count("account"),
            "wrong_tax_codes": self.count("tax_code"),
            "other": self.count("content") + self.count("not_taken_back"),
            "uncertain": self.causes["outcome_uncertain"],
            "namesakes": self.namesakes,
            "causes": dict(sorted(self.causes.items())),
            "findings": [f"{each.kind}: {each.record}: {each.says}" for each in self.findings[:_MOST_SHOWN]],
        }


def compare(ours: OurBooks, theirs: TheirBooks) -> Report:
    """Everything that's wrong between the two."""
    report = Report(records=len(ours.customers) + len(ours.invoices) + len(ours.payments) + len(ours.items))
    for record in ours.all_records():
        if record.cause:
            report.causes[record.cause] += 1
    report.namesakes = sum(_is_asked_about(here, theirs.customers) for here in ours.customers)
    report.findings += _compare_customers(ours.customers, theirs)
    report.findings += _compare_items(ours, theirs)
    report.findings += _compare_invoices(ours.invoices, theirs.invoices)
    report.findings += _compare_payments(ours.payments, theirs)
    return report


# --- customers and items ---------------------------------------------------------------------------------------------


def _compare_customers(ours: Sequence[OurCustomer], theirs: TheirBooks) -> Iterator[Finding]:
    left = defaultdict(list)
    for there in theirs.customers:
        left[there.realm, there.name].append(there)
    unsettled: Counter[str] = Counter()
    for here in ours:
        found = left.pop((here.realm, here.name), [])
        name = f"customer {here.name}"
        if here.cause:
            # It may stand there under a former name, unless that one's the firm's own.
            unsettled[here.realm] += not found and not _is_asked_about(here, theirs.customers)
            continue
        if not found:
            yield Finding("missing", name, "isn't there and has no cause")
        elif len(found) > 1:
            yield Finding("duplicate", name, f"is there {len(found)} times")
        elif found[0].email != here.email:
            yield Finding("content", name, f"has the address {found[0].email}, not {here.email}")
    for (realm, name), found in left.items():
        for each in found:
            if each.is_own:
                # Ours was renamed before it was linked.
                continue
            if unsettled[realm]:
                unsettled[realm] -= 1
            else:
                yield Finding("duplicate", f"customer {name}", f"{each.remote_id} is nobody's here")


def _is_asked_about(here: OurCustomer, theirs: Sequence[TheirCustomer]) -> bool:
    """Whether a person must say if it's the firm's own of that name, which differs in its address from what was sent.

    Names are unique there: what was sent can't have come to stand beside it.
    """
    return here.cause == "outcome_uncertain" and any(
        there.is_own
        and (there.realm, there.name) == (here.realm, here.sent_name)
        and there.email != here.sent_email
        and there.remote_id in here.offered
        for there in theirs
    )


def _compare_items(ours: OurBooks, theirs: TheirBooks) -> Iterator[Finding]:
    left = defaultdict(list)
    for there in theirs.items:
        left[there.realm, there.name].append(there)
    for here in ours.items:
        found = left.pop((here.realm, here.name), [])
        if len(found) > 1:
            yield Finding("duplicate", f"item {here.name}", f"is there {len(found)} times")
        if found and found[0].account != here.account and not here.cause:
            yield Finding("account", f"item {here.name}", f"posts to {found[0].account}, not {here.account}")
    for (_, name), found in left.items():
        if foreign := sum(not each.is_own for each in found):
            yield Finding("foreign", f"item {name}", f"{foreign} of them belong to no service")


# --- invoices --------------------------------------------------------------------------------------------------------


def _compare_invoices(ours: Sequence[OurInvoice], theirs: Sequence[TheirInvoice]) -> Iterator[Finding]:
    by_marker: dict[str, list[TheirInvoice]] = defaultdict(list)
    by_number: dict[tuple[str, str], list[TheirInvoice]] = defaultdict(list)
    for there in theirs:
        by_marker[there.marker].append(there)
        by_number[there.realm, there.number].append(there)
    known = {here.uuid for here in ours}
    for here in ours:
        found = by_marker.get(here.uuid, [])
        name = f"invoice {here.number} ({here.uuid})"
        same_number = [
            there
            for there in by_number.get((here.realm, here.number), [])
            if there not in found and there.customer == here.customer
        ]
        if len(found) + len(same_number) > 1:
            ids = ", ".join(there.remote_id for there in (*found, *same_number))
            yield Finding("duplicate", name, f"stands there as {ids}")
        elif here.is_void:
            yield from _check_taken_back(name, here, found)
        elif not found and not here.cause:
            yield Finding("missing", name, "isn't there and has no cause")
        elif found and found[0].is_void and not here.cause:
            yield Finding("missing", name, "is void there and has no cause")
        elif found and not here.cause:
            yield from _compare_invoice(name, here, found[0])
    for there in theirs:
        if there.marker not in known:
            yield Finding("foreign", f"invoice {there.number}", f"{there.remote_id} was not issued here")


def _compare_invoice(name: str, here: OurInvoice, there: TheirInvoice) -> Iterator[Finding]:
    if there.realm != here.realm:
        yield Finding("content", name, "stands in another company")
    for what, ours, theirs in (("total", here.total, there.total), ("tax", here.tax, there.tax)):
        if ours != theirs:
            yield Finding("cents", name, f"{what} {theirs}, not {ours}", _cents(ours, theirs))
    for what, said, told in (
        ("customer", here.customer, there.customer),
        ("number", here.number, there.number),
        ("date", here.issue_date, there.issue_date),
        ("due date", here.due_date, there.due_date),
    ):
        if said != told:
            yield Finding("content", name, f"{what} {told}, not {said}")
    if len(here.lines) != len(there.lines):
        yield Finding("content", name, f"{len(there.lines)} lines, not {len(here.lines)}")
    for place, (ours_line, theirs_line) in enumerate(zip(here.lines, there.lines, strict=False), start=1):
        if ours_line.net != theirs_line.net:
            says = f"line {place} of {theirs_line.net}, not {ours_line.net}"
            yield Finding("cents", name, says, _cents(ours_line.net, theirs_line.net))
        if ours_line.account != theirs_line.account:
            yield Finding("account", name, f"line {place} posts to {theirs_line.account}, not {ours_line.account}")
        if ours_line.tax_code != theirs_line.tax_code:
            yield Finding("tax_code", name, f"line {place} has {theirs_line.tax_code}, not {ours_line.tax_code}")
        if (ours_line.item, ours_line.description) != (theirs_line.item, theirs_line.description):
            yield Finding("content", name, f"line {place} is {theirs_line.item}: {theirs_line.description}")


def _check_taken_back(
    name: str, here: OurRecord, found: Sequence[TheirInvoice] | Sequence[TheirPayment]
) -> Iterator[Finding]:
    """What is void here: gone there or void, or its row says why not."""
    if found and not found[0].is_void and not here.cause:
        yield Finding("not_taken_back", name, f"void here, {found[0].remote_id} stands there and has no cause")


# --- payments --------------------------------------------------------------------------------------------------------


def _compare_payments(ours: Sequence[OurPayment], theirs: TheirBooks) -> Iterator[Finding]:
    by_marker: dict[str, list[TheirPayment]] = defaultdict(list)
    for there in theirs.payments:
        by_marker[there.marker].append(there)
    # A void one has lost its mark there.
    voided: Counter[tuple[str, str]] = Counter()
    markers = {(invoice.realm, invoice.remote_id): invoice.marker for invoice in theirs.invoices}
    for here in ours:
        found = by_marker.pop(here.uuid, [])
        name = f"payment {here.reference} ({here.uuid})"
        if len(found) > 1:
            yield Finding("duplicate", name, f"stands there as {', '.join(there.remote_id for there in found)}")
        elif here.is_void:
            voided[here.realm, here.customer] += not found
            yield from _check_taken_back(name, here, found)
        elif not found and not here.cause:
            yield Finding("missing", name, "isn't there and has no cause")
        elif found and found[0].is_void and not here.cause:
            yield Finding("missing", name, "is void there and has no cause")
        elif found and not here.cause:
            yield from _compare_payment(name, here, found[0], markers)
    for found in by_marker.values():
        for there in found:
            if there.is_void and voided[there.realm, there.customer] > 0:
                voided[there.realm, there.customer] -= 1
                continue
            yield Finding("foreign", f"payment {there.remote_id}", f"of {there.amount} was not recorded here")


def _compare_payment(
    name: str, here: OurPayment, there: TheirPayment, markers: Mapping[tuple[str, str], str]
) -> Iterator[Finding]:
    if here.amount != there.amount:
        yield Finding("cents", name, f"{there.amount}, not {here.amount}", _cents(here.amount, there.amount))
    if here.account != there.account:
        yield Finding("account", name, f"was paid into {there.account}, not {here.account}")
    if (here.customer, here.received_date) != (there.customer, there.received_date):
        yield Finding("content", name, f"from {there.customer} on {there.received_date}")
    applied = {markers.get((there.realm, invoice), invoice): part for invoice, part in there.applied.items()}
    for invoice in here.applied.keys() | applied.keys():
        ours, theirs = here.applied.get(invoice, Decimal(0)), applied.get(invoice, Decimal(0))
        if ours != theirs:
            yield Finding("cents", name, f"{theirs} of it pays invoice {invoice}, not {ours}", _cents(ours, theirs))


def _cents(ours: Decimal, theirs: Decimal) -> int:
    return int(abs(ours - theirs) * 100)
