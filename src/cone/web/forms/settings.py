"""Forms of the firm's own settings: services, tax rates, the firm, the team."""

from uuid import UUID

from cone.books.models import Workspace
from cone.domain.permissions import Role
from cone.domain.services import ServiceInput
from cone.domain.tax_presets import suggest_tax_rates
from cone.domain.tax_rates import TaxRateInput
from cone.domain.totals import AmountsAre
from cone.domain.workspaces import FirmInput, WorkspaceInput
from cone.operations.codes import list_countries, list_currencies
from cone.web.forms import fields

WORKSPACE_NAMES = (
    "name", "country", "email", "phone", "tax_number", "address_line1", "address_line2", "city", "region",
    "postal_code", "invoice_prefix", "payment_terms_days", "amounts_are",
)  # fmt: skip
ROLE_CHOICES = [
    (Role.OWNER.value, "Owner: everything"),
    (Role.BILLER.value, "Biller: customers and invoices"),
    (Role.BOOKKEEPER.value, "Bookkeeper: reads everything, changes nothing"),
]


class ServiceForm(fields.PlainForm):
    """What the firm sells; the tax rates to choose from are the workspace's."""

    name = fields.text("Name", autocomplete="off")
    description = fields.text("Description", required=False, rows=3, hint="Fills the line of an invoice.")
    unit_price = fields.NumberField("Price")
    tax_rate = fields.choice("Tax rate", required=False)
    income_account = fields.choice("Income account", required=False)
    revision = fields.revision()

    def offer_accounts(self, accounts: fields.Choices) -> "ServiceForm":
        """The connected company's income accounts; without any the field isn't there."""
        if accounts:
            self.fields["income_account"].choices = [("", "The usual one"), *accounts]  # type: ignore[attr-defined]  # it's a ChoiceField
        else:
            del self.fields["income_account"]
        return self

    @property
    def income_account_id(self) -> str | None:
        """What was chosen; None where there's nothing to choose from."""
        chosen: str | None = self.cleaned_data.get("income_account")
        return chosen

    def offer_rates(self, rates: fields.Choices) -> "ServiceForm":
        self.fields["tax_rate"].choices = [("", "Choose on the invoice"), *rates]  # type: ignore[attr-defined]  # it's a ChoiceField
        return self

    def to_input(self) -> ServiceInput:
        typed = self.cleaned_data
        return ServiceInput(
            name=typed["name"],
            description=typed["description"],
            unit_price=typed["unit_price"],
            tax_rate=UUID(typed["tax_rate"]) if typed["tax_rate"] else None,
        )


class TaxRateForm(fields.PlainForm):
    """A named percentage."""

    name = fields.text("Name", autocomplete="off")
    percent = fields.NumberField("Percentage")
    revision = fields.revision()

    def to_input(self) -> TaxRateInput:
        return TaxRateInput(name=self.cleaned_data["name"], percent=self.cleaned_data["percent"])


class FirmForm(fields.PlainForm):
    """A new firm."""

    name = fields.text("Firm's name", autocomplete="organization")
    country = fields.choice("Country", [("", "Choose a country"), *list_countries()])
    currency = fields.choice(
        "Currency",
        [("", "Choose a currency"), *((code, f"{code} · {name}") for code, name in list_currencies())],
        hint="Your books' currency. It can't change later.",
    )

    def to_input(self, kept_names: list[str]) -> FirmInput:
        country = self.cleaned_data["country"]
        rates = tuple(rate for rate in suggest_tax_rates(country) if rate.name in kept_names)
        return FirmInput(
            name=self.cleaned_data["name"], country=country, currency=self.cleaned_data["currency"], tax_rates=rates
        )


class WorkspaceForm(fields.PlainForm):
    """The firm's particulars and its habits for new invoices."""

    name = fields.text("Firm's name")
    country = fields.choice("Country", list_countries())
    email = fields.text("E-mail", required=False, inputmode="email")
    phone = fields.text("Phone", required=False, inputmode="tel")
    tax_number = fields.text("Tax number", required=False)
    address_line1 = fields.text("Address", required=False)
    address_line2 = fields.text("Address, second line", required=False)
    city = fields.text("City", required=False)
    region = fields.text("Region", required=False)
    postal_code = fields.text("Postal code", required=False)
    invoice_prefix = fields.text(
        "Invoice number prefix", required=False, hint="INV- makes INV-0001. Numbers given stay as they are."
    )
    payment_terms_days = fields.NumberField("Days to pay", is_whole=True, hint="Sets the due date of new invoices.")
    amounts_are = fields.choice(
        "Prices on new invoices",
        [(AmountsAre.EXCLUSIVE.value, "exclude tax"), (AmountsAre.INCLUSIVE.value, "include tax")],
    )
    revision = fields.revision()

    def to_input(self) -> WorkspaceInput:
        typed = {name: self.cleaned_data[name] for name in WORKSPACE_NAMES}
        typed["payment_terms_days"] = int(typed["payment_terms_days"])
        typed["amounts_are"] = AmountsAre(typed["amounts_are"])
        return WorkspaceInput(**typed)


def workspace_initial(workspace: Workspace) -> dict[str, object]:
    """The present values, for the form."""
    return {name: getattr(workspace, name) for name in (*WORKSPACE_NAMES, "revision")}


class InvitationForm(fields.PlainForm):
    """Whom to let in, and as what."""

    email = fields.text("E-mail", inputmode="email")
    role = fields.choice("Role", ROLE_CHOICES)
