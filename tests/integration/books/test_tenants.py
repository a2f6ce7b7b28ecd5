"""Who may do what: the owner, the biller, the bookkeeper, and an outsider who can't even guess."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from cone.books.models import Activity, Customer, Invoice, Membership, Payment, Service, TaxRate, Workspace
from cone.books.models import Role as StoredRole
from cone.books.queries.activity import list_activity
from cone.books.queries.customers import get_customer, list_customer_options, list_customers
from cone.books.queries.dashboard import read_dashboard
from cone.books.queries.invoice import get_invoice
from cone.books.queries.invoices import list_invoices
from cone.books.queries.payments import get_payment, list_payments
from cone.books.queries.services import get_service, list_service_options, list_services
from cone.books.queries.tax_rates import get_tax_rate, list_tax_rates
from cone.books.queries.team import list_team
from cone.domain.customers import CustomerInput
from cone.domain.errors import InvalidFieldError, NotAllowedError, RecordNotFoundError
from cone.domain.payments import AllocationInput, PaymentInput
from cone.domain.permissions import Role
from cone.domain.services import ServiceInput
from cone.domain.tax_rates import TaxRateInput
from cone.domain.workspaces import WorkspaceInput
from cone.operations.actor import Actor, find_actor
from cone.operations.archive_customer import archive_customer
from cone.operations.archive_service import archive_service
from cone.operations.archive_tax_rate import archive_tax_rate
from cone.operations.change_member_role import change_member_role
from cone.operations.delete_invoice import delete_invoice
from cone.operations.invite_member import invite_member
from cone.operations.issue_invoice import issue_invoice
from cone.operations.mark_invoice_sent import mark_invoice_sent
from cone.operations.record_payment import record_payment
from cone.operations.remove_member import remove_member
from cone.operations.restore_customer import restore_customer
from cone.operations.restore_service import restore_service
from cone.operations.save_customer import save_customer
from cone.operations.save_invoice import save_invoice
from cone.operations.save_service import save_service
from cone.operations.save_tax_rate import save_tax_rate
from cone.operations.save_workspace import save_workspace
from cone.operations.void_invoice import void_invoice
from cone.operations.void_payment import void_payment
from cone.operations.withdraw_invitation import withdraw_invitation
from cone.operations.write_off_invoice import write_off_invoice
from tests.builders import (
    Cast,
    get_no_tax,
    make_cast,
    make_customer,
    make_invoice,
    make_invoice_input,
    make_line,
    make_member,
    make_payment,
    make_service,
    make_tax_rate,
)

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)


class Scene:
    """The owner's books, and every act on them."""

    def __init__(self) -> None:
        self.cast: Cast = make_cast()
        owner = self.cast.owner
        self.customer, self.service, self.rate = make_customer(owner), make_service(owner), make_tax_rate(owner)
        self.draft = make_invoice(owner, self.customer)
        self.issued = make_invoice(owner, self.customer, is_issued=True)
        self.payment = make_payment(owner, self.issued, "1.00")
        self.invitation, _ = invite_member(owner, email="new@example.com", role=Role.BILLER)
        self.member = Membership.objects.get(workspace=owner.workspace, user=self.cast.biller.user)
        self.invoice_input = make_invoice_input(self.customer, [make_line(get_no_tax(owner.workspace))])

    def invoicing(self) -> dict[str, Callable[[Actor], object]]:
        """What owners and billers may do."""
        name = CustomerInput(name="Changed")
        part = AllocationInput(self.issued.uuid, Decimal(1))
        payment = PaymentInput(self.customer.uuid, TODAY, Decimal(1), (part,))
        return {
            "save_customer": lambda actor: save_customer(actor, name, uuid=self.customer.uuid),
            "archive_customer": lambda actor: archive_customer(actor, self.customer.uuid),
            "restore_customer": lambda actor: restore_customer(actor, self.customer.uuid),
            "save_invoice": lambda actor: save_invoice(actor, self.invoice_input, uuid=self.draft.uuid),
            "issue_invoice": lambda actor: issue_invoice(actor, self.draft.uuid),
            "mark_invoice_sent": lambda actor: mark_invoice_sent(actor, self.issued.uuid),
            "void_payment": lambda actor: void_payment(actor, self.payment.uuid),
            "record_payment": lambda actor: record_payment(actor, payment),
            "write_off_invoice": lambda actor: write_off_invoice(actor, self.issued.uuid),
            "void_invoice": lambda actor: void_invoice(actor, self.draft.uuid),
            "delete_invoice": lambda actor: delete_invoice(actor, make_invoice(self.cast.owner).uuid),
        }

    def settings(self) -> dict[str, Callable[[Actor], object]]:
        """What only owners may do."""
        return {
            "save_service": lambda actor: save_service(actor, ServiceInput("Changed"), uuid=self.service.uuid),
            "archive_service": lambda actor: archive_service(actor, self.service.uuid),
            "restore_service": lambda actor: restore_service(actor, self.service.uuid),
            "save_tax_rate": lambda actor: save_tax_rate(
                actor, TaxRateInput("Changed", Decimal(1)), uuid=self.rate.uuid
            ),
            "archive_tax_rate": lambda actor: archive_tax_rate(actor, self.rate.uuid),
            "withdraw_invitation": lambda actor: withdraw_invitation(actor, self.invitation.pk),
            "change_member_role": lambda actor: change_member_role(actor, self.member.pk, role=Role.BOOKKEEPER),
            "remove_member": lambda actor: remove_member(actor, self.member.pk),
        }

    def own_settings(self) -> dict[str, Callable[[Actor], object]]:
        """What only owners may do, in the workspace they're in."""
        return {
            "save_workspace": lambda actor: save_workspace(actor, WorkspaceInput("Changed", "GB")),
            "invite_member": lambda actor: invite_member(actor, email="x@example.com", role=Role.OWNER),
        }

    def picture(self) -> tuple[object, ...]:
        """Everything in the owner's workspace that an act could change."""
        workspace = self.cast.workspace
        return (
            list(Customer.objects.filter(workspace=workspace).order_by("id").values()),
            list(Service.objects.filter(workspace=workspace).order_by("id").values()),
            list(TaxRate.objects.filter(workspace=workspace).order_by("id").values()),
            list(Invoice.objects.filter(workspace=workspace).order_by("id").values()),
            list(Payment.objects.filter(workspace=workspace).order_by("id").values()),
            list(Membership.objects.filter(workspace=workspace).order_by("id").values()),
            list(Workspace.objects.filter(pk=workspace.pk).values()),
            Activity.objects.filter(workspace=workspace).count(),
        )


def test_roles_of_the_rules_and_of_the_tables_are_the_same() -> None:
    assert [role.value for role in Role] == StoredRole.values


def test_owner_may_do_all_of_it() -> None:
    scene = Scene()
    for acts in (scene.invoicing(), scene.settings(), scene.own_settings()):
        for name, act in acts.items():
            if name == "record_payment":
                continue
            act(scene.cast.owner) if name != "void_invoice" else void_invoice(scene.cast.owner, scene.draft.uuid)


def test_biller_invoices_but_settings_are_refused() -> None:
    scene = Scene()
    for act in scene.invoicing().values():
        act(scene.cast.biller)
    before = scene.picture()
    for name, act in (scene.settings() | scene.own_settings()).items():
        with pytest.raises(NotAllowedError):
            act(scene.cast.biller)
        assert scene.picture() == before, name


def test_bookkeeper_changes_nothing() -> None:
    scene = Scene()
    del_act = {"delete_invoice": lambda actor: delete_invoice(actor, scene.draft.uuid)}
    before = scene.picture()
    for name, act in (scene.invoicing() | scene.settings() | scene.own_settings() | del_act).items():
        with pytest.raises(NotAllowedError):
            act(scene.cast.bookkeeper)
        assert scene.picture() == before, name


def test_outsider_finds_nothing_to_change() -> None:
    scene = Scene()
    del_act = {"delete_invoice": lambda actor: delete_invoice(actor, scene.draft.uuid)}
    before = scene.picture()
    for name, act in (scene.invoicing() | scene.settings() | del_act).items():
        with pytest.raises((RecordNotFoundError, InvalidFieldError)) as refusal:
            act(scene.cast.outsider)
        if isinstance(refusal.value, InvalidFieldError):
            assert refusal.value.field == "customer"
        assert scene.picture() == before, name


def test_outsider_reads_nothing_and_bookkeeper_everything() -> None:
    scene = Scene()
    outside, inside = scene.cast.outsider.workspace, scene.cast.bookkeeper.workspace
    readers: list[tuple[Callable[[Workspace, UUID], object], UUID]] = [
        (lambda workspace, uuid: get_customer(workspace, uuid, today=TODAY), scene.customer.uuid),
        (lambda workspace, uuid: get_invoice(workspace, uuid, today=TODAY), scene.issued.uuid),
        (get_payment, scene.payment.uuid),
        (get_service, scene.service.uuid),
        (get_tax_rate, scene.rate.uuid),
    ]
    for read, uuid in readers:
        assert read(inside, uuid)
        with pytest.raises(RecordNotFoundError):
            read(outside, uuid)
    counts = [
        (
            list_customers(workspace).total_count,
            len(list_customer_options(workspace)),
            list_invoices(workspace, today=TODAY).page.total_count,
            list_payments(workspace).total_count,
            list_services(workspace).total_count,
            len(list_service_options(workspace)),
            len(list_tax_rates(workspace)),
            len(list_team(workspace, now=timezone.now()).members),
            len(list_team(workspace, now=timezone.now()).invitations),
            len(list_activity(workspace, "invoice", scene.issued.uuid)),
            sum(read_dashboard(workspace, today=TODAY).counts.values()),
        )
        for workspace in (inside, outside)
    ]
    assert counts == [(1, 1, 2, 1, 1, 1, 5, 3, 1, 3, 2), (0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0)]


def test_find_actor_only_for_members() -> None:
    cast = make_cast()
    owner_user = cast.owner.user

    assert find_actor(owner_user) == cast.owner
    assert find_actor(owner_user, workspace_uuid=cast.outsider.workspace.uuid) is None
    second = make_member(cast.outsider.workspace, Role.BOOKKEEPER, user=owner_user)
    assert find_actor(owner_user, workspace_uuid=cast.outsider.workspace.uuid) == second
    assert find_actor(owner_user) == cast.owner
    Membership.objects.filter(user=owner_user).delete()
    assert find_actor(owner_user) is None


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("books_invoice", "customer_id"),
        ("books_payment", "customer_id"),
        ("books_service", "tax_rate_id"),
        ("books_invoiceline", "tax_rate_id"),
        ("books_invoiceline", "service_id"),
        ("books_invoiceline", "invoice_id"),
        ("books_invoicetax", "invoice_id"),
        ("books_invoicetax", "tax_rate_id"),
        ("books_paymentallocation", "invoice_id"),
        ("books_paymentallocation", "payment_id"),
    ],
)
def test_database_refuses_references_across_workspaces(table: str, column: str) -> None:
    cast = make_cast()
    foreign: dict[str, int] = {}
    for actor in (cast.owner, cast.outsider):
        service, rate = make_service(actor), make_tax_rate(actor)
        invoice = make_invoice(actor, lines=[make_line(rate, service=service)], is_issued=True)
        payment = make_payment(actor, invoice, "1.00")
        foreign = {
            "customer_id": invoice.customer_id,
            "tax_rate_id": rate.pk,
            "service_id": service.pk,
            "invoice_id": invoice.pk,
            "payment_id": payment.pk,
        }
    with pytest.raises(IntegrityError, match=f"{table}_{column}_same_workspace"), transaction.atomic():
        point_elsewhere(table, column, foreign[column], cast.workspace)


def point_elsewhere(table: str, column: str, foreign_id: int, workspace: Workspace) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"update {table} set {column} = %s where workspace_id = %s",  # noqa: S608  # names of the test itself
            [foreign_id, workspace.pk],
        )
        cursor.execute("set constraints all immediate")
