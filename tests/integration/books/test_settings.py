"""Firms, their settings and team; customers, services and tax rates."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from cone.books.models import Activity, Counter, Customer, Invitation, Membership, Service, TaxRate, Workspace
from cone.books.queries.team import find_invitation, list_team, list_workspaces
from cone.domain.customers import CustomerInput
from cone.domain.errors import InvalidFieldError, RecordNotFoundError
from cone.domain.permissions import Role
from cone.domain.services import ServiceInput
from cone.domain.tax_rates import NoTaxIsFixedError, TaxRateInput
from cone.domain.workspaces import (
    AlreadyMemberError,
    FirmExistsError,
    FirmInput,
    InvitationForAnotherError,
    InvitationInvalidError,
    LastOwnerError,
    WorkspaceInput,
)
from cone.operations.accept_invitation import accept_invitation
from cone.operations.archive_service import archive_service
from cone.operations.archive_tax_rate import archive_tax_rate
from cone.operations.change_member_role import change_member_role
from cone.operations.codes import check_country, check_currency, list_countries, list_currencies
from cone.operations.create_firm import create_firm
from cone.operations.invite_member import invite_member
from cone.operations.remove_member import remove_member
from cone.operations.restore_service import restore_service
from cone.operations.save_customer import save_customer
from cone.operations.save_service import save_service
from cone.operations.save_tax_rate import save_tax_rate
from cone.operations.save_workspace import save_workspace
from cone.operations.withdraw_invitation import withdraw_invitation
from tests.builders import (
    get_no_tax,
    get_tax_rate,
    make_customer,
    make_invoice,
    make_member,
    make_owner,
    make_service,
    make_tax_rate,
    make_user,
)
from tests.integration.books.threads import at_once

FIRM = FirmInput("Hartley & Rowe", "gb", "gbp", (TaxRateInput("VAT 20%", Decimal(20)),))


@pytest.mark.django_db
def test_create_firm_makes_its_owner_rates_and_counter() -> None:
    user = make_user()

    workspace = create_firm(user, FIRM)

    assert (workspace.country, workspace.currency, workspace.invoice_prefix) == ("GB", "GBP", "INV-")
    assert [(member.user, member.role) for member in Membership.objects.filter(workspace=workspace)] == [
        (user, "owner")
    ]
    assert list(TaxRate.objects.order_by("id").values_list("name", "percent", "is_no_tax")) == [
        ("No tax", Decimal(0), True),
        ("VAT 20%", Decimal(20), False),
    ]
    assert Counter.objects.get().next_value == 1
    assert [choice.name for choice in list_workspaces(user)] == ["Hartley & Rowe"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "field"),
    [
        (replace(FIRM, name=" "), "name"),
        (replace(FIRM, name="x" * 101), "name"),
        (replace(FIRM, country="XX"), "country"),
        (replace(FIRM, country=""), "country"),
        (replace(FIRM, currency="XAU"), "currency"),
        (replace(FIRM, currency="ABC"), "currency"),
        (replace(FIRM, tax_rates=(TaxRateInput("VAT", Decimal(101)),)), "tax_rates.0.percent"),
        (replace(FIRM, tax_rates=(*FIRM.tax_rates, TaxRateInput("vat 20%", Decimal(20)))), "tax_rates.1.name"),
        (replace(FIRM, tax_rates=(TaxRateInput("NO TAX", Decimal(0)),)), "tax_rates.0.name"),
        (replace(FIRM, tax_rates=FIRM.tax_rates * 21), "tax_rates"),
    ],
)
def test_create_firm_refused_leaves_nothing(typed: FirmInput, field: str) -> None:
    user = make_user()
    with pytest.raises(InvalidFieldError) as refusal:
        create_firm(user, typed)
    assert refusal.value.field == field
    assert (Workspace.objects.count(), TaxRate.objects.count(), Membership.objects.count()) == (0, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_create_firm_form_sent_twice_at_once_makes_one() -> None:
    user = make_user()
    answers = at_once([partial(create_firm, user, FIRM)] * 2)
    assert sum(isinstance(answer, FirmExistsError) for answer in answers) == 1
    assert Workspace.objects.count() == 1


@pytest.mark.django_db
def test_save_workspace_changes_settings_and_says_what_changed() -> None:
    owner = make_owner()

    save_workspace(owner, WorkspaceInput("Rowe Ltd", "IE", email="office@example.com", payment_terms_days=14))

    workspace = Workspace.objects.get()
    assert (workspace.name, workspace.country, workspace.email, workspace.payment_terms_days, workspace.currency) == (
        "Rowe Ltd",
        "IE",
        "office@example.com",
        14,
        "GBP",
    )
    edited = Activity.objects.get(kind="workspace", verb="edited")
    assert edited.detail == {"fields": "name, country, email, payment_terms_days"}
    with pytest.raises(InvalidFieldError):
        save_workspace(owner, WorkspaceInput("Rowe Ltd", "ZZ"))


@pytest.mark.django_db
def test_save_customer_creates_edits_and_counts_revisions() -> None:
    owner = make_owner()
    typed = CustomerInput(name="<b>Zoë</b> & Söhne", email="zoe@example.com", country="fr")

    made = save_customer(owner, typed)
    unchanged = save_customer(owner, typed, uuid=made.uuid)
    changed = save_customer(owner, replace(typed, city="Lyon"), uuid=made.uuid)

    assert (made.name, made.country, made.currency) == ("<b>Zoë</b> & Söhne", "FR", "GBP")
    assert (unchanged.revision, changed.revision) == (1, 2)
    assert Customer.objects.get().city == "Lyon"
    assert list(Activity.objects.filter(kind="customer").order_by("id").values_list("verb", flat=True)) == [
        "created",
        "edited",
    ]


@pytest.mark.django_db
def test_save_customer_currency_is_fixed_by_its_first_invoice() -> None:
    owner = make_owner()
    customer = make_customer(owner)
    save_customer(owner, CustomerInput(name="Anna", currency="usd"), uuid=customer.uuid)
    make_invoice(owner, customer)

    with pytest.raises(InvalidFieldError) as refusal:
        save_customer(owner, CustomerInput(name="Anna", currency="EUR"), uuid=customer.uuid)

    assert refusal.value.field == "currency"
    assert save_customer(owner, CustomerInput(name="Anna B."), uuid=customer.uuid).currency == "USD"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "field"),
    [
        (CustomerInput(name=""), "name"),
        (CustomerInput(name="x" * 501), "name"),
        (CustomerInput(name="A", email="nobody"), "email"),
        (CustomerInput(name="A", country="XX"), "country"),
        (CustomerInput(name="A", currency="XXX"), "currency"),
        (CustomerInput(name="A", notes="a\x00b"), "notes"),
    ],
)
def test_save_customer_refused_leaves_nothing(typed: CustomerInput, field: str) -> None:
    owner = make_owner()
    with pytest.raises(InvalidFieldError) as refusal:
        save_customer(owner, typed)
    assert refusal.value.field == field
    assert not Customer.objects.exists()


@pytest.mark.django_db
def test_save_customer_two_of_one_name_are_two() -> None:
    owner = make_owner()
    assert make_customer(owner, "J. Smith").uuid != make_customer(owner, "J. Smith").uuid


@pytest.mark.django_db
def test_save_service_name_is_its_own_while_active() -> None:
    owner = make_owner()
    first = make_service(owner, "Advice")
    for name in ("Advice", "ADVICE"):
        with pytest.raises(InvalidFieldError, match="Another service has this name") as refusal:
            save_service(owner, ServiceInput(name))
        assert refusal.value.field == "name"
    archive_service(owner, first.uuid)
    second = save_service(owner, ServiceInput("Advice", tax_rate=get_tax_rate(owner.workspace).uuid))

    with pytest.raises(InvalidFieldError, match="Another service has taken this name meanwhile"):
        restore_service(owner, first.uuid)
    archive_service(owner, second.uuid)

    assert restore_service(owner, first.uuid).archived_at is None


@pytest.mark.django_db(transaction=True)
def test_save_service_one_name_twice_at_once_makes_one() -> None:
    owner = make_owner()
    answers = at_once([partial(save_service, owner, ServiceInput("Advice"))] * 4)
    assert sum(isinstance(answer, InvalidFieldError) for answer in answers) == 3
    assert Service.objects.count() == 1


@pytest.mark.django_db
def test_save_service_foreign_or_archived_rate_is_refused() -> None:
    owner, outsider = make_owner(), make_owner("Elsewhere")
    archived = make_tax_rate(owner)
    archive_tax_rate(owner, archived.uuid)
    for rate in (archived, get_tax_rate(outsider.workspace)):
        with pytest.raises(InvalidFieldError) as refusal:
            save_service(owner, ServiceInput("Advice", tax_rate=rate.uuid))
        assert refusal.value.field == "tax_rate"


@pytest.mark.django_db
def test_save_tax_rate_name_is_its_own_and_no_tax_is_fixed() -> None:
    owner = make_owner()
    no_tax = get_no_tax(owner.workspace)
    with pytest.raises(InvalidFieldError, match="Another tax rate has this name"):
        save_tax_rate(owner, TaxRateInput("vat 20%", Decimal(20)))
    with pytest.raises(NoTaxIsFixedError):
        save_tax_rate(owner, TaxRateInput("No tax", Decimal(1)), uuid=no_tax.uuid)
    with pytest.raises(NoTaxIsFixedError):
        archive_tax_rate(owner, no_tax.uuid)

    renamed = save_tax_rate(owner, TaxRateInput("Exempt", Decimal(0)), uuid=no_tax.uuid)

    assert (renamed.name, renamed.percent, renamed.is_no_tax) == ("Exempt", Decimal(0), True)
    with pytest.raises(IntegrityError, match="tax_rate_no_tax_is_zero"), transaction.atomic():
        TaxRate.objects.filter(pk=no_tax.pk).update(percent=1)


@pytest.mark.django_db
def test_invite_and_accept_makes_a_member_once() -> None:
    owner, guest = make_owner(), make_user("Guest@Example.com")

    invitation, token = invite_member(owner, email=" guest@example.com ", role=Role.BOOKKEEPER)

    assert invitation.token_sha256 == hashlib.sha256(token.encode()).hexdigest()
    found = find_invitation(token, now=timezone.now())
    assert found is not None
    assert (found.email, found.role, found.workspace_name) == ("guest@example.com", Role.BOOKKEEPER, "Hartley & Rowe")
    membership = accept_invitation(guest, token)
    assert (membership.workspace, membership.role) == (owner.workspace, "bookkeeper")
    with pytest.raises(InvitationInvalidError):
        accept_invitation(guest, token)
    with pytest.raises(AlreadyMemberError):
        invite_member(owner, email="GUEST@example.com", role=Role.BILLER)
    assert list_team(owner.workspace, now=timezone.now()).invitations == ()


@pytest.mark.django_db
def test_accept_invitation_wrong_person_late_or_withdrawn_is_refused() -> None:
    owner, guest = make_owner(), make_user("guest@example.com")
    _, replaced = invite_member(owner, email="guest@example.com", role=Role.BILLER)
    invitation, token = invite_member(owner, email="guest@example.com", role=Role.BILLER)

    with pytest.raises(InvitationForAnotherError, match=r"This invitation is for guest@example\.com"):
        accept_invitation(make_user(), token)
    for wrong in (replaced, "", "guessed", "\ud800"):
        with pytest.raises(InvitationInvalidError):
            accept_invitation(guest, wrong)
        assert find_invitation(wrong, now=timezone.now()) is None
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(InvitationInvalidError):
        accept_invitation(guest, token)
    withdraw_invitation(owner, invitation.pk)
    with pytest.raises(RecordNotFoundError):
        withdraw_invitation(owner, invitation.pk)
    assert not Membership.objects.filter(user=guest).exists()


@pytest.mark.django_db
def test_team_keeps_an_owner() -> None:
    owner = make_owner()
    biller = make_member(owner.workspace)
    mine, theirs = (Membership.objects.get(user=actor.user) for actor in (owner, biller))

    with pytest.raises(LastOwnerError):
        change_member_role(owner, mine.pk, role=Role.BILLER)
    with pytest.raises(LastOwnerError):
        remove_member(owner, mine.pk)
    change_member_role(owner, theirs.pk, role=Role.OWNER)
    remove_member(owner, mine.pk)

    assert list(Membership.objects.values_list("user", "role")) == [(biller.user.pk, "owner")]


@pytest.mark.django_db(transaction=True)
def test_team_two_owners_leaving_at_once_leave_one() -> None:
    owner = make_owner()
    other = make_member(owner.workspace, Role.OWNER)
    mine, theirs = (Membership.objects.get(user=actor.user) for actor in (owner, other))

    answers = at_once([partial(remove_member, owner, mine.pk), partial(remove_member, other, theirs.pk)])

    assert sum(isinstance(answer, LastOwnerError) for answer in answers) == 1
    assert Membership.objects.filter(role="owner").count() == 1


def test_codes_are_countries_and_money_that_people_use() -> None:
    assert ("GB", "United Kingdom") in list_countries()
    assert len(list_countries()) > 240
    currencies = dict(list_currencies())
    assert currencies["JPY"] == "Yen"
    assert {"XAU", "XXX", "XTS", "CLF"}.isdisjoint(currencies)
    assert {"XAF", "XCD", "XOF", "XPF"} <= set(currencies)
    assert (check_country("country", " gb "), check_country("country", ""), check_currency("currency", "eur")) == (
        "GB",
        "",
        "EUR",
    )
