"""Invoices: due dates, deposits, links to payments and estimates, void and delete."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import Fault, business, unsupported
from qbo_emulator.jsonio import ZERO, Json, dec, money
from qbo_emulator.ledger import Txn, View

from .currency import deposited, is_kept_at_home
from .entity import find
from .fields import Amount, Bool, ReadOnly, Ref, uncovered
from .gains import follow_rate, settle_gain
from .sales import SalesDocument, owed_to
from .sales_shape import LINKED, answer_shape, sales_shape

rule("invoice.required", "CustomerRef and one Line are required (2020)", Mark.RECORDING, "recorded fault for Line")
rule(
    "invoice.due-date",
    "DueDate: given, else TxnDate plus the term of invoice, customer or company",
    Mark.DOCUMENT,
    "Intuit invoice reference",
)
rule(
    "invoice.due-date-default",
    "Without any term the due date is 30 days later",
    Mark.RECORDING,
    "recorded invoice of the US sample company",
)
rule(
    "invoice.deposit",
    "Deposit and DepositToAccountRef need AllowDeposit; the account is a bank or other current "
    "asset account; Balance is TotalAmt less Deposit and payments",
    Mark.DOCUMENT,
    "Intuit invoice reference",
)
rule("invoice.deposit-off", "With AllowDeposit off either property is refused with 6000", Mark.ASSUMPTION)
rule(
    "invoice.bill-email",
    "BillEmail is not taken over from the customer",
    Mark.RECORDING,
    "recorded invoice of a customer with an e-mail address",
)
rule(
    "invoice.void",
    "A void keeps lines with zero amounts, totals zero, note 'Voided', number kept",
    Mark.RECORDING,
    "recorded void",
)
rule(
    "invoice.void-paid",
    "Voiding or deleting a paid invoice unlinks its payments",
    Mark.REPORT,
    "live test of 2026; another report says it is refused",
)
rule(
    "invoice.estimate",
    "LinkedTxn may name an estimate of the customer, which is closed and linked back; payments in it are ignored",
    Mark.DOCUMENT,
    "Intuit invoice reference; closing the estimate is assumed",
)

_ONLINE = ("AllowIPNPayment", "AllowOnlinePayment", "AllowOnlineCreditCardPayment", "AllowOnlineACHPayment")


class Invoice(SalesDocument):
    name = "Invoice"
    void_forms = frozenset({"operation", "include"})
    counts_total = True
    shape = sales_shape(
        "Invoice",
        first={name: Bool() for name in _ONLINE},
        own={"Deposit": Amount(), "DepositToAccountRef": Ref("Account")},
        rare={
            "LinkedTxn": LINKED,
            "InvoiceLink": ReadOnly(),
            "EInvoiceStatus": ReadOnly(),
            "ECloudStatusTimeStamp": ReadOnly(),
            "invoiceStatus": ReadOnly(),
            "callToAction": ReadOnly(),
            "invoiceStatusLog": ReadOnly(),
            **uncovered(
                "AllowOnlinePayPalPayment",
                "AllowOnlineAffirmPayment",
                "CfdiUse",
                "Exportation",
                "GlobalInfo",
                "LessCIS",
                "PaymentDetailsMessage",
                "ConvenienceFeeDetail",
                "EnabledSurchargeInfo",
                "InvoiceLinkSecurityCode",
                "InvoiceLinkExpiryDate",
                "AutoPayEligible",
                "SchedulePayEligible",
                "ScheduledPaymentId",
                "GratuityEnabled",
                "FinancingProductType",
                "SubscriptionPaymentsSetting",
                "TxnRetainageDetail",
            ),
        },
    )
    answer = answer_shape(shape)

    def settle_dates(self, txn: Txn, record: Json, customer: Json) -> None:
        term = (
            record.get("SalesTermRef")
            or customer.get("SalesTermRef")
            or txn.books.preferences["SalesFormsPrefs"].get("DefaultTerms")
        )
        if term and "SalesTermRef" not in record and txn.get("Term", term["value"]):
            record["SalesTermRef"] = {"value": term["value"]}
        if "DueDate" not in record:
            found = txn.get("Term", term["value"]) if term else None
            record["DueDate"] = _due(date.fromisoformat(record["TxnDate"]), found).isoformat()
        for name in _ONLINE:
            record.setdefault(name, False)

    def settle_balance(self, txn: Txn, record: Json, before: Json | None) -> None:
        if record.get("Deposit") is not None:
            record["Deposit"] = money(dec(record["Deposit"]))
        self._check_deposit(txn, record)
        own = [each for each in (before or {}).get("LinkedTxn", []) if each["TxnType"] == "Payment"]
        record["LinkedTxn"] = [*_estimates(txn, record), *own]
        paid = money(applied(txn, own, before["Id"])) if before else ZERO
        record["Balance"] = money(record["TotalAmt"] - dec(record.get("Deposit")) - paid)
        if record["Balance"] < 0:
            raise business("The payments and the deposit are larger than the amount of the transaction.")

    def _check_deposit(self, txn: Txn, record: Json) -> None:
        account = record.get("DepositToAccountRef")
        if not account and not record.get("Deposit"):
            return
        if not txn.books.preferences["SalesFormsPrefs"].get("AllowDeposit"):
            raise business("Deposits are not enabled for this company.")
        if account and find(txn, "Account", account["value"])["AccountType"] not in {"Bank", "Other Current Asset"}:
            raise business("The deposit account must be a bank or other current asset account.")
        record["_DepositAtHome"] = is_kept_at_home(txn, record)
        if dec(record.get("Deposit")) < 0:
            raise business("The deposit must be zero or more.")

    def void(self, txn: Txn, record: Json) -> Json:
        return {**self.voided(txn, record), "Deposit": None}

    def after_write(self, txn: Txn, before: Json | None, after: Json | None) -> None:
        """Payments of a voided or deleted invoice keep their amount, unapplied; estimates follow the link."""
        follow_rate(txn, before, after)
        number = (after or before or {})["Id"]
        old = (before or {}).get("LinkedTxn", [])
        new = (after or {}).get("LinkedTxn", [])
        for link in old:
            if link not in new and link["TxnType"] == "Payment":
                unlink_payment(txn, link["TxnId"], ("Invoice", number))
            elif link not in new:
                _link_estimate(txn, link["TxnId"], number, linked=False)
        for link in new:
            if link not in old and link["TxnType"] == "Estimate":
                _link_estimate(txn, link["TxnId"], number, linked=True)

    def keys(self, record: Json) -> Iterable[tuple[str, str]]:
        yield from super().keys(record)
        if record["Balance"]:
            yield "Open.Invoice", record["CustomerRef"]["value"]

    def owed(self, record: Json) -> Iterable[tuple[str, Decimal]]:
        return ((record["CustomerRef"]["value"], dec(record["Balance"])),)

    def postings(self, view: View, record: Json) -> Iterable[tuple[str, Decimal]]:
        yield from super().postings(view, record)
        if record.get("Deposit") and record.get("DepositToAccountRef"):
            yield record["DepositToAccountRef"]["value"], deposited(record, dec(record["Deposit"]))
        yield from owed_to(view, record, dec(record["TotalAmt"]) - dec(record.get("Deposit")))


def _due(day: date, term: Json | None) -> date:
    """The due date by a term; DATE_DRIVEN ones name a day of the month."""
    if term is None or ("DueDays" not in term and "DayOfMonthDue" not in term):
        return day + timedelta(days=30)
    if "DueDays" in term:
        return day + timedelta(days=int(term["DueDays"]))
    due = _on_day(day.year, day.month, int(term["DayOfMonthDue"]))
    while due < day + timedelta(days=int(term.get("DueNextMonthDays") or 0)):
        due = _on_day(due.year + due.month // 12, due.month % 12 + 1, int(term["DayOfMonthDue"]))
    return due


def _on_day(year: int, month: int, day: int) -> date:
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month, min(day, last))


def _estimates(txn: Txn, record: Json) -> list[Json]:
    """The estimates a request links; payments stand in LinkedTxn only because answers are sent back."""
    links = []
    for link in record.get("LinkedTxn") or []:
        if link.get("TxnType") == "Payment":
            continue
        if link.get("TxnType") != "Estimate":
            raise unsupported(f"invoice linked to {str(link.get('TxnType'))[:30]}")
        estimate = txn.get("Estimate", str(link.get("TxnId")))
        if estimate is None or estimate["CustomerRef"] != {"value": record["CustomerRef"]["value"]}:
            raise Fault(620, "Cannot validate linked transactions")
        links.append({"TxnId": estimate["Id"], "TxnType": "Estimate"})
    return links


def _link_estimate(txn: Txn, estimate_id: str, invoice_id: str, *, linked: bool) -> None:
    estimate = txn.get("Estimate", estimate_id)
    if estimate is None:
        return
    link = {"TxnId": invoice_id, "TxnType": "Invoice"}
    links = [each for each in estimate.get("LinkedTxn", []) if each != link]
    changed = {**estimate, "LinkedTxn": [*links, link] if linked else links}
    changed["TxnStatus"] = "Closed" if changed["LinkedTxn"] else "Pending"
    txn.touch("Estimate", changed)


def applied(txn: Txn, links: list[Json], number: str, kind: str = "Invoice") -> Decimal:
    """What the linked payments have applied to this invoice or credit memo."""
    total = ZERO
    for link in links:
        payment = txn.get("Payment", link["TxnId"]) or {"Line": []}
        wanted = {"TxnId": number, "TxnType": kind}
        total += sum((dec(line["Amount"]) for line in payment["Line"] if line["LinkedTxn"][0] == wanted), ZERO)
    return total


def unlink_payment(txn: Txn, payment_id: str, target: tuple[str, str]) -> None:
    """Take the lines for a document out of a payment; what invoices no longer use is unapplied."""
    payment = txn.get("Payment", payment_id)
    if payment is None:
        return
    link = {"TxnId": target[1], "TxnType": target[0]}
    lines = [line for line in payment["Line"] if line["LinkedTxn"][0] != link]
    if sum((_signed(line) for line in lines), ZERO) > dec(payment["TotalAmt"]):
        raise business("The credit pays invoices: remove it from its payment first.")
    changed = {**payment, "Line": lines, "UnappliedAmt": unapplied(dec(payment["TotalAmt"]), lines)}
    settle_gain(txn, changed)
    txn.touch("Payment", changed)


def unapplied(total: Decimal, lines: list[Json]) -> Decimal:
    """What a payment and the credits in it leave after the invoices."""
    return money(total - sum((_signed(line) for line in lines), ZERO))


def _signed(line: Json) -> Decimal:
    amount = dec(line["Amount"])
    return amount if line["LinkedTxn"][0]["TxnType"] == "Invoice" else -amount
