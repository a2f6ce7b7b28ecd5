"""Forms of Settings › Integrations."""

from collections.abc import Sequence
from datetime import date

from django import forms

from cone.accounting.port.company import Account
from cone.domain.figures import EARLIEST_DATE, LATEST_DATE
from cone.web.forms import fields


class AccountsForm(fields.PlainForm):
    """The two accounts; only what the company offers can be chosen."""

    deposit_account = fields.choice("Default account", required=True)
    income_account = fields.choice("Income account", required=True)
    seen_deposit = forms.CharField(required=False, widget=forms.HiddenInput)
    seen_income = forms.CharField(required=False, widget=forms.HiddenInput)

    def offer(self, deposit: Sequence[Account], income: Sequence[Account]) -> "AccountsForm":
        """Fill the drop-downs."""
        self._offer("deposit_account", "Choose a bank account", deposit)
        self._offer("income_account", "Choose an income account", income)
        return self

    def seen(self) -> tuple[str, str] | None:
        """What was saved when the form was shown; None when it doesn't say."""
        if "seen_deposit" not in self.data:
            return None
        return self.cleaned_data["seen_deposit"], self.cleaned_data["seen_income"]

    def _offer(self, name: str, nothing: str, accounts: Sequence[Account]) -> None:
        labels = [(account.remote_id, account.full_name or account.name) for account in accounts]
        self.fields[name].choices = [("", nothing), *labels]  # type: ignore[attr-defined]  # it's a ChoiceField


class StartDateForm(fields.PlainForm):
    """From which issue date existing invoices are sent."""

    from_date = fields.day("Start date")

    def clean_from_date(self) -> date:
        """Within what books can hold. Raises: forms.ValidationError."""
        chosen: date = self.cleaned_data["from_date"]
        if not EARLIEST_DATE <= chosen <= LATEST_DATE:
            raise forms.ValidationError(f"Choose a date from {EARLIEST_DATE.year} to {LATEST_DATE.year}.")
        return chosen
