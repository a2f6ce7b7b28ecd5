"""The forms that record a payment: of one invoice on its page, and of any number of a customer's."""

from collections.abc import Iterable
from uuid import UUID

from django import forms

from cone.books.queries.payments import PayableInvoice, PaymentView
from cone.domain.errors import InvalidFieldError
from cone.domain.payments import AllocationInput, PaymentInput
from cone.web.formats import typed_number
from cone.web.forms import fields

_PART = "part-"
_METHODS = ["Bank transfer", "Card", "Direct debit", "Cash", "Cheque", "Other"]


class PaymentForm(fields.PlainForm):
    """Money received for this invoice."""

    amount = fields.NumberField("Amount")
    received_date = fields.day("Received on")
    method = fields.choice("Method", [("", "–"), *((method, method) for method in _METHODS)], required=False)
    reference = fields.text("Reference", required=False, autocomplete="off")
    exchange_rate = fields.NumberField("Exchange rate", required=False)

    def ask_in(self, currency: str, *, home_currency: str) -> "PaymentForm":
        """Ask for the exchange rate where the currency is foreign."""
        fields.ask_for_rate(self, currency=currency, home_currency=home_currency)
        return self

    def to_input(self, *, customer: UUID, invoice: UUID) -> PaymentInput:
        typed = self.cleaned_data
        return PaymentInput(
            customer=customer,
            received_date=typed["received_date"],
            amount=typed["amount"],
            allocations=(AllocationInput(invoice=invoice, amount=typed["amount"]),),
            method=typed["method"],
            reference=typed["reference"],
            exchange_rate=typed.get("exchange_rate"),
        )


class PaymentOfManyForm(fields.PlainForm):
    """Money received from a customer, and how much of it each invoice gets."""

    amount = fields.NumberField("Amount received")
    received_date = fields.day("Received on")
    method = fields.choice("Method", [("", "–"), *((method, method) for method in _METHODS)], required=False)
    reference = fields.text("Reference", required=False, autocomplete="off")
    exchange_rate = fields.NumberField("Exchange rate", required=False)
    revision = fields.revision()

    def ask_in(self, currency: str, *, home_currency: str) -> "PaymentOfManyForm":
        """Ask for the exchange rate where the currency is foreign."""
        fields.ask_for_rate(self, currency=currency, home_currency=home_currency)
        return self

    def offer(self, invoices: Iterable[PayableInvoice], *, method: str = "") -> "PaymentOfManyForm":
        """Add a field for each invoice; a method that isn't on the list any more stays."""
        self.payable = tuple(invoices)
        for invoice in self.payable:
            part = fields.NumberField(f"Part for {invoice.number}", required=False)
            part.widget.attrs["aria-label"] = part.label
            self.fields[_name(invoice.uuid)] = part
        if method and method not in _METHODS:
            choice = self.fields["method"]
            choice.choices = [*choice.choices, (method, method)]  # type: ignore[attr-defined]  # it's a ChoiceField
        return self

    def clean(self) -> dict[str, object]:
        """Refuse a part for an invoice that isn't offered any more, so that it doesn't become credit unseen."""
        lost = [name for name, part in self.data.items() if name.startswith(_PART) and part and name not in self.fields]
        if lost:
            raise forms.ValidationError(
                "Something else was done meanwhile to an invoice that you chose: it can't take a payment any more. "
                "These are the ones that can; say again what this payment pays."
            )
        return self.cleaned_data

    def lines(self) -> list[tuple[PayableInvoice, object]]:
        """Each invoice with its field."""
        return [(invoice, self[_name(invoice.uuid)]) for invoice in self.payable]

    def to_input(self, customer: UUID) -> PaymentInput:
        """The payment as typed; a part left empty pays nothing."""
        typed = self.cleaned_data
        parts = ((invoice.uuid, typed.get(_name(invoice.uuid))) for invoice in self.payable)
        return PaymentInput(
            customer=customer,
            received_date=typed["received_date"],
            amount=typed["amount"],
            allocations=tuple(AllocationInput(uuid, part) for uuid, part in parts if part),
            method=typed["method"],
            reference=typed["reference"],
            exchange_rate=typed.get("exchange_rate"),
        )

    def show_refusal(self, refusal: InvalidFieldError, typed: PaymentInput) -> None:
        """Put what a rule refuses beside its field, a part beside its invoice."""
        field = refusal.field
        if field.startswith("allocations."):
            field = _name(typed.allocations[int(field.split(".")[1])].invoice)
        self.add_error(field if field in self.fields else None, str(refusal))


def fill_from(view: PaymentView) -> dict[str, str]:
    """A recorded payment as its form shows it."""
    parts = {_name(part.invoice_uuid): typed_number(part.amount.amount) for part in view.allocations}
    return {
        "amount": typed_number(view.row.amount.amount),
        "received_date": view.row.received_date.isoformat(),
        "method": view.row.method,
        "reference": view.row.reference,
        "exchange_rate": typed_number(view.exchange_rate) if view.exchange_rate else "",
        "revision": str(view.revision),
        **parts,
    }


def _name(invoice: UUID) -> str:
    return f"{_PART}{invoice}"
