"""What a firm's own particulars may look like, and the rules of its team."""

from dataclasses import dataclass, replace

from cone.domain.customers import PHONE, POSTAL_CODE, TAX_NUMBER
from cone.domain.errors import InvalidFieldError, RefusalError
from cone.domain.numbering import check_prefix
from cone.domain.tax_rates import TaxRateInput
from cone.domain.text import TextRule, check_email
from cone.domain.totals import AmountsAre

FIRM_NAME = TextRule("the firm's name", 100, is_required=True)
LONGEST_TERMS_DAYS = 365
MOST_TAX_RATES = 20


class LastOwnerError(RefusalError):
    """A workspace needs an owner; make someone else an owner first."""

    code = "last_owner"


class InvitationInvalidError(RefusalError):
    """This invitation has expired, was used, or was withdrawn; ask for a new one."""

    code = "invitation_invalid"


class InvitationForAnotherError(RefusalError):
    """This invitation is for another e-mail address; sign in with that address."""

    code = "invitation_for_another"


class AlreadyMemberError(RefusalError):
    """This person is already in the team."""

    code = "already_member"


class FirmExistsError(RefusalError):
    """You already have a firm of that name."""

    code = "firm_exists"


@dataclass(frozen=True, slots=True)
class FirmInput:
    """A new firm; codes are ISO 3166-1 alpha-2 and ISO 4217. "No tax" is always made and needn't be listed."""

    name: str
    country: str
    currency: str
    tax_rates: tuple[TaxRateInput, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkspaceInput:
    """A firm's settings. Its currency is fixed when the firm is made."""

    name: str
    country: str
    email: str = ""
    phone: str = ""
    tax_number: str = ""
    address_line1: str = ""
    address_line2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    invoice_prefix: str = "INV-"
    payment_terms_days: int = 30
    amounts_are: AmountsAre = AmountsAre.EXCLUSIVE


def check_workspace(typed: WorkspaceInput) -> WorkspaceInput:
    """Return the settings as they're kept. The country code is checked by the operation, which has the list.

    Raises: InvalidFieldError.
    """
    if not 0 <= typed.payment_terms_days <= LONGEST_TERMS_DAYS:
        raise InvalidFieldError("payment_terms_days", f"Give between 0 and {LONGEST_TERMS_DAYS} days to pay.")
    return replace(
        typed,
        name=FIRM_NAME.check("name", typed.name),
        email=check_email("email", typed.email),
        phone=PHONE.check("phone", typed.phone),
        tax_number=TAX_NUMBER.check("tax_number", typed.tax_number),
        address_line1=TextRule("the address", 200).check("address_line1", typed.address_line1),
        address_line2=TextRule("the address", 200).check("address_line2", typed.address_line2),
        city=TextRule("the city", 100).check("city", typed.city),
        region=TextRule("the region", 100).check("region", typed.region),
        postal_code=POSTAL_CODE.check("postal_code", typed.postal_code),
        invoice_prefix=check_prefix("invoice_prefix", typed.invoice_prefix),
        amounts_are=AmountsAre(typed.amounts_are),
    )
