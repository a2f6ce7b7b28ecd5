"""The form that records a payment of one invoice."""

from uuid import UUID

from cone.domain.payments import AllocationInput, PaymentInput
from cone.web.forms import fields

_METHODS = ["Bank transfer", "Card", "Direct debit", "Cash", "Cheque", "Other"]


class PaymentForm(fields.PlainForm):
    """Money received for this invoice."""

    amount = fields.NumberField("Amount")
    received_date = fields.day("Received on")
    method = fields.choice("Method", [("", "–"), *((method, method) for method in _METHODS)], required=False)
    reference = fields.text("Reference", required=False, autocomplete="off")

    def to_input(self, *, customer: UUID, invoice: UUID) -> PaymentInput:
        typed = self.cleaned_data
        return PaymentInput(
            customer=customer,
            received_date=typed["received_date"],
            amount=typed["amount"],
            allocations=(AllocationInput(invoice=invoice, amount=typed["amount"]),),
            method=typed["method"],
            reference=typed["reference"],
        )
