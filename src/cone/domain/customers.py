"""What a customer may look like. Lengths are QuickBooks' own, so that nothing is cut on the way."""

from dataclasses import dataclass, replace

from cone.domain.text import TextRule, check_email

NAME = TextRule("the name", 500, is_required=True)
NOTES = TextRule("the notes", 2000, is_multiline=True)
PHONE = TextRule("the phone number", 30)
TAX_NUMBER = TextRule("the tax number", 30)
POSTAL_CODE = TextRule("the postal code", 30)


@dataclass(frozen=True, slots=True)
class CustomerInput:
    """A customer as typed. Empty `currency` means the workspace's; `country` is ISO 3166-1 alpha-2 or empty."""

    name: str
    email: str = ""
    phone: str = ""
    tax_number: str = ""
    address_line1: str = ""
    address_line2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""
    currency: str = ""
    notes: str = ""


def check_customer(typed: CustomerInput) -> CustomerInput:
    """Return the customer as it's kept. Country and currency codes are checked by the operation, which has the lists.

    Raises: InvalidFieldError.
    """
    return replace(
        typed,
        name=NAME.check("name", typed.name),
        email=check_email("email", typed.email),
        phone=PHONE.check("phone", typed.phone),
        tax_number=TAX_NUMBER.check("tax_number", typed.tax_number),
        address_line1=TextRule("the address", 500).check("address_line1", typed.address_line1),
        address_line2=TextRule("the address", 500).check("address_line2", typed.address_line2),
        city=TextRule("the city", 255).check("city", typed.city),
        region=TextRule("the region", 255).check("region", typed.region),
        postal_code=POSTAL_CODE.check("postal_code", typed.postal_code),
        notes=NOTES.check("notes", typed.notes),
    )
