"""Invoices: defaults, numbers, dates, deposits, tax, totals, void and delete."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import Fault, business, missing, period_closed
from qbo_emulator.jsonio import ZERO, Json, dec, money
from qbo_emulator.tax.global_model import global_tax
from qbo_emulator.tax.us_classic import us_tax

from .account import home_currency
from .customer import number_addresses
from .entity import Entity, find
from .fields import (
    ADDRESS,
    CUSTOM_FIELD,
    EMAIL,
    ENVELOPE,
    MEMO,
    TAIL,
    Amount,
    Bool,
    Choice,
    Date,
    Kept,
    Kind,
    ListOf,
    Number,
    ReadOnly,
    Ref,
    Shape,
    Text,
    Uncovered,
    require,
)
from .lines import SALES_LINE, TAX_DETAIL, complete_lines, discount_of, sales_lines, voided_lines, with_subtotal
from .names import address_serials
from .references import View, rendered

if TYPE_CHECKING:
    from qbo_emulator.books import Txn

rule("invoice.required", "CustomerRef and one Line are required (2020)", Mark.RECORDING, "recorded fault for Line")
rule(
    "invoice.doc-number",
    "CustomTxnNumbers on: the caller's number, none stays none, duplicates are 6140 unless "
    "allowduplicatedocnum; off: numbered by QuickBooks, a given one kept unchecked",
    Mark.DOCUMENT,
    "Intuit invoice reference",
)
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
    "invoice.closed",
    "A date on or before the closing date refuses create, update, void and delete (6210)",
    Mark.REPORT,
    "third-party report of the text",
)
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


def _uncovered(*names: str) -> dict[str, Kind]:
    return {name: Uncovered() for name in names}


class Invoice(Entity):
    name = "Invoice"
    sequence = "Txn"
    is_list = False
    can_delete = True
    counts_total = True
    recomputed = frozenset({"TxnTaxDetail"})
    shape = Shape(
        "Invoice",
        {
            "AllowIPNPayment": Bool(),
            "AllowOnlinePayment": Bool(),
            "AllowOnlineCreditCardPayment": Bool(),
            "AllowOnlineACHPayment": Bool(),
            **ENVELOPE,
            "CustomField": ListOf(CUSTOM_FIELD),
            "DocNumber": Text(21),
            "TxnDate": Date(),
            "CurrencyRef": Ref("Currency"),
            "ExchangeRate": Number(),
            "PrivateNote": Text(4000),
            "LinkedTxn": ReadOnly(),
            "Line": ListOf(SALES_LINE),
            "TxnTaxDetail": TAX_DETAIL,
            "CustomerRef": Ref("Customer"),
            "CustomerMemo": MEMO,
            "BillAddr": ADDRESS,
            "ShipAddr": ADDRESS,
            "FreeFormAddress": ReadOnly(),
            "ShipFromAddr": ADDRESS,
            "SalesTermRef": Ref("Term"),
            "DueDate": Date(),
            "ShipDate": Date(),
            "TrackingNum": Text(31),
            "GlobalTaxCalculation": Choice(("TaxExcluded", "TaxInclusive", "NotApplicable")),
            "TotalAmt": ReadOnly(),
            "HomeTotalAmt": ReadOnly(),
            "ApplyTaxAfterDiscount": Bool(),
            "PrintStatus": Choice(("NotSet", "NeedToPrint", "PrintComplete")),
            "EmailStatus": Choice(("NotSet", "NeedToSend", "EmailSent")),
            "BillEmail": EMAIL,
            "BillEmailCc": EMAIL,
            "BillEmailBcc": EMAIL,
            "DeliveryInfo": ReadOnly(),
            "Balance": ReadOnly(),
            "HomeBalance": ReadOnly(),
            "Deposit": Amount(),
            "DepositToAccountRef": Ref("Account"),
            **TAIL,
            "AutoDocNumber": Bool(),
            "InvoiceLink": ReadOnly(),
            "InvoiceEx": Kept(),
            "EInvoiceStatus": ReadOnly(),
            "ECloudStatusTimeStamp": ReadOnly(),
            "invoiceStatus": ReadOnly(),
            "callToAction": ReadOnly(),
            "invoiceStatusLog": ReadOnly(),
            "TxnStatus": ReadOnly(),
            "TxnSource": ReadOnly(),
            "HomeTotalCostAmount": ReadOnly(),
            "TotalCostAmount": ReadOnly(),
            "TemplateRef": ReadOnly(),
            "RecurDataRef": ReadOnly(),
            **_uncovered(
                "DepartmentRef",
                "ClassRef",
                "TxnSubType",
                "TaxFormType",
                "TaxFormNum",
                "TransactionLocationType",
                "Tag",
                "TxnApprovalInfo",
                "RecurringInfo",
                "ProjectRef",
                "RemitToRef",
                "SalesRepRef",
                "PONumber",
                "FOB",
                "ShipMethodRef",
                "ShippingTaxIncludedInTotalTax",
                "ARAccountRef",
                "FinanceCharge",
                "PaymentMethodRef",
                "PaymentRefNum",
                "PaymentType",
                "CheckPayment",
                "CreditCardPayment",
                "DiscountRate",
                "DiscountAmt",
                "GovtTxnRefIdentifier",
                "TaxExemptionRef",
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

    def complete(self, txn: Txn, given: Json, before: Json | None) -> Json:
        require(given, "Line", "CustomerRef")
        record = dict(given)
        customer = find(txn, "Customer", record["CustomerRef"]["value"])
        self._settle_dates(txn, record, customer)
        check_open(txn, record, before)
        self._settle_number(txn, record, before)
        self._settle_tax_model(txn, record, before)
        currency = home_currency(txn)
        if record.get("CurrencyRef", {"value": currency})["value"] != currency:
            raise business("The currency of the transaction must be the currency of the customer.")
        record["CurrencyRef"] = {"value": currency}
        record.pop("ExchangeRate", None)
        self._settle_defaults(record, customer, before)
        number_addresses(txn, record, before)
        record["Line"] = complete_lines(txn, record, before)
        if not sales_lines(record["Line"]) and not record["Line"]:
            raise missing("Line")
        self._settle_totals(txn, record, before)
        return record

    def _settle_dates(self, txn: Txn, record: Json, customer: Json) -> None:
        record.setdefault("TxnDate", txn.books.clock.today().isoformat())
        term = (
            record.get("SalesTermRef")
            or customer.get("SalesTermRef")
            or txn.books.preferences["SalesFormsPrefs"].get("DefaultTerms")
        )
        if term and "SalesTermRef" not in record and txn.get("Term", term["value"]):
            record["SalesTermRef"] = {"value": term["value"]}
        if "DueDate" not in record:
            found = txn.get("Term", term["value"]) if term else None
            days = int(found["DueDays"]) if found and "DueDays" in found else 30
            record["DueDate"] = (date.fromisoformat(record["TxnDate"]) + timedelta(days=days)).isoformat()

    def _settle_number(self, txn: Txn, record: Json, before: Json | None) -> None:
        custom = txn.books.preferences["SalesFormsPrefs"].get("CustomTxnNumbers")
        number = record.get("DocNumber")
        if (not custom and not number) or number == "AUTO_GENERATE":
            number = before.get("DocNumber") if before else None
            number = number or str(max(txn.books.highest("Invoice.DocNumber"), 1000) + 1)
        if custom and number and "allowduplicatedocnum" not in txn.include:
            own = ("Invoice", before["Id"] if before else "")
            if any(holder != own for holder in txn.books.holders("Invoice.DocNumber", number.casefold())):
                raise Fault(
                    6140,
                    "Duplicate Document Number Error : You must specify a different number. "
                    "This number has already been used.",
                )
        record["DocNumber"] = number or None
        record.pop("AutoDocNumber", None)

    def _settle_tax_model(self, txn: Txn, record: Json, before: Json | None) -> None:
        if txn.books.country == "US":
            record.pop("GlobalTaxCalculation", None)
            record.setdefault("ApplyTaxAfterDiscount", False)
            if before is not None and not record.get("TxnTaxDetail"):
                code = before["TxnTaxDetail"].get("TxnTaxCodeRef")
                record["TxnTaxDetail"] = {"TxnTaxCodeRef": code} if code else None
            return
        if before is not None:
            record.setdefault("GlobalTaxCalculation", before["GlobalTaxCalculation"])
        if "GlobalTaxCalculation" not in record:
            raise missing("GlobalTaxCalculation")
        detail = record.get("TxnTaxDetail") or {}
        if record["GlobalTaxCalculation"] == "NotApplicable" and (detail.get("TaxLine") or dec(detail.get("TotalTax"))):
            raise Fault(6170, "TxnTaxDetail cannot be given with GlobalTaxCalculation NotApplicable.", "TxnTaxDetail")

    def _settle_defaults(self, record: Json, customer: Json, before: Json | None) -> None:
        for name in ("BillAddr", "ShipAddr"):
            address = record.get(name)
            default = customer.get(name) or customer.get("BillAddr")
            if address is None and default is not None and before is None:
                record[name] = dict(default)
        if record.get("EmailStatus") == "NeedToSend" and not (record.get("BillEmail") or {}).get("Address"):
            raise missing("BillEmail")
        for name in ("AllowIPNPayment", "AllowOnlinePayment", "AllowOnlineCreditCardPayment", "AllowOnlineACHPayment"):
            record.setdefault(name, False)
        record.setdefault("CustomField", [])
        record.setdefault("PrintStatus", "NeedToPrint")
        record.setdefault("EmailStatus", "NotSet")

    def _settle_totals(self, txn: Txn, record: Json, before: Json | None) -> None:
        lines = sales_lines(record["Line"])
        discount = discount_of(record["Line"])
        tax = us_tax if txn.books.country == "US" else global_tax
        record["TxnTaxDetail"] = tax(txn, record, lines, discount)
        subtotal = sum((dec(line["Amount"]) for line in lines), ZERO)
        record["TotalAmt"] = money(subtotal - discount + dec(record["TxnTaxDetail"]["TotalTax"]))
        if record["TotalAmt"] < 0:
            raise business("The amount of the transaction must be zero or more.")
        if record.get("Deposit") is not None:
            record["Deposit"] = money(dec(record["Deposit"]))
        self._check_deposit(txn, record)
        record["LinkedTxn"] = list(before["LinkedTxn"]) if before else []
        paid = money(applied(txn, record["LinkedTxn"], before["Id"])) if before else ZERO
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
        if dec(record.get("Deposit")) < 0:
            raise business("The deposit must be zero or more.")

    def void(self, txn: Txn, record: Json) -> Json:
        check_open(txn, record, record)
        note = record.get("PrivateNote")
        return {
            **record,
            "Line": voided_lines(record["Line"]),
            "TxnTaxDetail": {"TotalTax": ZERO},
            "TotalAmt": ZERO,
            "Balance": ZERO,
            "Deposit": None,
            "LinkedTxn": [],
            "PrivateNote": _void_note(note),
        }

    def check_delete(self, txn: Txn, record: Json) -> None:
        check_open(txn, record, record)

    def after_write(self, txn: Txn, before: Json | None, after: Json | None) -> None:
        """Payments of a voided or deleted invoice keep their amount, unapplied."""
        for link in (before or {}).get("LinkedTxn", []):
            if after is None or link not in after["LinkedTxn"]:
                unlink_payment(txn, link["TxnId"], (before or {})["Id"])

    def render(self, view: View, record: Json) -> Json:
        return rendered(view, _ANSWER, {**record, "Line": with_subtotal(record["Line"])})

    def keys(self, record: Json) -> Iterable[tuple[str, str]]:
        return (("Invoice.DocNumber", record["DocNumber"].casefold()),) if record.get("DocNumber") else ()

    def serials(self, record: Json) -> Iterable[tuple[str, int]]:
        number = record.get("DocNumber") or ""
        if number.isascii() and number.isdigit():
            yield "Invoice.DocNumber", int(number)
        yield from address_serials(record)

    def owed(self, record: Json) -> Iterable[tuple[str, Decimal]]:
        return ((record["CustomerRef"]["value"], dec(record["Balance"])),)

    def postings(self, view: View, record: Json) -> Iterable[tuple[str, Decimal]]:
        for line in record["Line"]:
            detail = line.get("SalesItemLineDetail") or {}
            if detail.get("ItemAccountRef"):
                yield detail["ItemAccountRef"]["value"], dec(line["Amount"])
            discount = (line.get("DiscountLineDetail") or {}).get("DiscountAccountRef")
            if discount:
                yield discount["value"], -dec(line["Amount"])
        if record.get("Deposit") and record.get("DepositToAccountRef"):
            yield record["DepositToAccountRef"]["value"], dec(record["Deposit"])
        roles = view.get("Roles", "1") or {}
        if "receivable" in roles:
            yield roles["receivable"], dec(record["TotalAmt"]) - dec(record.get("Deposit"))
        if "tax_payable" in roles:
            yield roles["tax_payable"], dec(record["TxnTaxDetail"]["TotalTax"])


# Answers have the subtotal's empty detail, which requests may send but never set.
_ANSWER = Shape(
    "Invoice",
    {
        **Invoice.shape.fields,
        "Line": ListOf(Shape("Line", {**SALES_LINE.fields, "SubTotalLineDetail": Shape("SubTotalLineDetail", {})})),
    },
)


def _void_note(note: str | None) -> str:
    if not note or note.startswith("Voided"):
        return note or "Voided"
    return f"Voided - {note}"[:4000]


def check_open(txn: Txn, record: Json, before: Json | None) -> None:
    """Refuse a change that touches the closed period (6210)."""
    closed = txn.books.preferences["AccountingInfoPrefs"].get("BookCloseDate")
    if closed and any(txn_date <= closed for txn_date in _dates(record, before)):
        raise period_closed()


def _dates(record: Json, before: Json | None) -> list[str]:
    return [each["TxnDate"] for each in (record, before) if each is not None]


def applied(txn: Txn, links: list[Json], number: str) -> Decimal:
    """What the linked payments have applied to this invoice."""
    total = ZERO
    for link in links:
        payment = txn.get("Payment", link["TxnId"]) or {"Line": []}
        total += sum((dec(line["Amount"]) for line in payment["Line"] if line["LinkedTxn"][0]["TxnId"] == number), ZERO)
    return total


def unlink_payment(txn: Txn, payment_id: str, invoice_id: str) -> None:
    payment = txn.get("Payment", payment_id)
    if payment is None:
        return
    lines = [line for line in payment["Line"] if line["LinkedTxn"][0]["TxnId"] != invoice_id]
    left = dec(payment["TotalAmt"]) - sum((dec(line["Amount"]) for line in lines), ZERO)
    txn.touch("Payment", {**payment, "Line": lines, "UnappliedAmt": money(left)})
