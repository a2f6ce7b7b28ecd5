"""Make a firm on a person's first visit: its workspace, tax rates, counter, and the person as its owner."""

from django.db import transaction

from cone.books.models import Counter, Membership, TaxRate, User, Workspace
from cone.domain.errors import InvalidFieldError
from cone.domain.numbering import INVOICE_COUNTER
from cone.domain.permissions import Role
from cone.domain.tax_rates import NO_TAX_NAME, TaxRateInput, check_tax_rate
from cone.domain.workspaces import FIRM_NAME, MOST_TAX_RATES, FirmExistsError, FirmInput
from cone.operations.actor import Actor
from cone.operations.codes import check_country, check_currency
from cone.operations.records import note


@transaction.atomic
def create_firm(user: User, typed: FirmInput) -> Workspace:
    """Make a firm with "No tax" and the given rates; a form sent twice makes one.

    Raises: InvalidFieldError (rates as `tax_rates.0.name`), FirmExistsError.
    """
    name = FIRM_NAME.check("name", typed.name)
    country = check_country("country", typed.country, is_required=True)
    currency = check_currency("currency", typed.currency)
    rates = _check_rates(typed.tax_rates)
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if Membership.objects.filter(user=user, role=Role.OWNER, workspace__name__iexact=name).exists():
        raise FirmExistsError
    workspace = Workspace.objects.create(name=name, country=country, currency=currency)
    Membership.objects.create(workspace=workspace, user=user, role=Role.OWNER.value)
    Counter.objects.create(workspace=workspace, name=INVOICE_COUNTER)
    TaxRate.objects.create(workspace=workspace, name=NO_TAX_NAME, percent=0, is_no_tax=True)
    TaxRate.objects.bulk_create(TaxRate(workspace=workspace, name=rate.name, percent=rate.percent) for rate in rates)
    note(Actor(workspace=workspace, user=user, role=Role.OWNER), "workspace", workspace.uuid, "created", name=name)
    return workspace


def _check_rates(typed: tuple[TaxRateInput, ...]) -> list[TaxRateInput]:
    if len(typed) > MOST_TAX_RATES:
        raise InvalidFieldError("tax_rates", f"Start with at most {MOST_TAX_RATES} tax rates; add others later.")
    rates: list[TaxRateInput] = []
    names = {NO_TAX_NAME.casefold()}
    for position, entry in enumerate(typed):
        try:
            rate = check_tax_rate(entry)
        except InvalidFieldError as refusal:
            raise InvalidFieldError(f"tax_rates.{position}.{refusal.field}", str(refusal)) from refusal
        if rate.name.casefold() in names:
            raise InvalidFieldError(f"tax_rates.{position}.name", "Give each tax rate a name of its own.")
        names.add(rate.name.casefold())
        rates.append(rate)
    return rates
