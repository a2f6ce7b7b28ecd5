"""The customer form."""

from cone.domain.customers import CustomerInput
from cone.operations.codes import list_countries, list_currencies
from cone.web.forms import fields

NAMES = (
    "name", "email", "phone", "tax_number", "address_line1", "address_line2", "city", "region", "postal_code",
    "country", "currency", "notes",
)  # fmt: skip


class CustomerForm(fields.PlainForm):
    """Whom the firm invoices."""

    name = fields.text("Name", autocomplete="off")
    email = fields.text("E-mail", required=False, inputmode="email", hint="Goes on the invoice in QuickBooks too.")
    phone = fields.text("Phone", required=False, inputmode="tel")
    tax_number = fields.text("Tax number", required=False)
    address_line1 = fields.text("Address", required=False)
    address_line2 = fields.text("Address, second line", required=False)
    city = fields.text("City", required=False)
    region = fields.text("Region", required=False)
    postal_code = fields.text("Postal code", required=False)
    country = fields.choice("Country", [("", "–"), *list_countries()], required=False)
    currency = fields.choice(
        "Currency",
        [(code, f"{code} · {name}") for code, name in list_currencies()],
        hint="Can't change once the customer has an invoice.",
    )
    notes = fields.text("Notes", required=False, rows=3, hint="Only for your team.")
    revision = fields.revision()

    def to_input(self) -> CustomerInput:
        return CustomerInput(**{name: self.cleaned_data[name] for name in NAMES})
