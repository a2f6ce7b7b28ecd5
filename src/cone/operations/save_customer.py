"""Make or change a customer, and have it stand in the accounting software."""

from dataclasses import asdict, replace
from uuid import UUID

from django.db import transaction

from cone.accounting.outbox import enqueue, find_active_connection
from cone.accounting.release import release_causes
from cone.books.models import Customer, Invoice, Link, OutboxRow
from cone.domain.customers import CustomerInput, check_customer
from cone.domain.errors import InvalidFieldError
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.codes import check_country, check_currency
from cone.operations.records import change, check_unchanged, get_locked, note
from cone.operations.sync_settings import get_locked_connection, move_settings


@transaction.atomic
def save_customer(
    actor: Actor, typed: CustomerInput, *, uuid: UUID | None = None, expected_revision: int | None = None
) -> Customer:
    """Make a customer, or change the one with that uuid; saving it unchanged does nothing.

    An empty currency means the workspace's for a new customer, and the present one for an old.
    `expected_revision` is the revision the form was filled from.
    Raises: NotAllowedError, InvalidFieldError, RecordNotFoundError, RecordChangedMeanwhileError.
    """
    actor.check_may(Permission.INVOICING)
    checked = _check(typed)
    customer = Customer(workspace=actor.workspace) if uuid is None else get_locked(Customer, actor, uuid)
    if not checked.currency:
        checked = replace(checked, currency=customer.currency or actor.workspace.currency)
    changed = change(customer, asdict(checked))
    if uuid is not None:
        if not changed:
            return customer
        check_unchanged(customer, expected_revision)
        if "currency" in changed and Invoice.objects.filter(customer=customer).exists():
            raise InvalidFieldError(
                "currency", "This customer has invoices in another currency; make a second customer instead."
            )
        if "currency" in changed and _is_linked(actor, customer):
            raise InvalidFieldError(
                "currency",
                "A customer's currency is fixed for life in your accounting software; make a second customer instead.",
            )
        customer.revision += 1
    customer.save()
    note(actor, "customer", customer.uuid, "created" if uuid is None else "edited", name=customer.name)
    if "email" in changed and uuid is not None:
        # Before the customer's own row is touched: lanes lock the connection first, then rows.
        _send_what_the_address_stopped(actor, customer)
    enqueue(workspace_id=actor.workspace.pk, kind="customer", record_uuid=customer.uuid, revision=customer.revision)
    return customer


def _send_what_the_address_stopped(actor: Actor, customer: Customer) -> None:
    """Have what waits for another address tried again, and what may be refused for the former one just now, too."""
    active = find_active_connection(actor.workspace.pk)
    invoices = Invoice.objects.filter(customer=customer).values("uuid")
    if active is None or not (
        OutboxRow.objects.filter(company_id=active.company_id, kind="invoice", record_uuid__in=invoices).exists()
    ):
        return
    active = get_locked_connection(actor, permission=Permission.INVOICING, may_be_ending=True)
    move_settings(active)
    release_causes(active, [f"email_invalid:{customer.uuid}", f"email_missing:{customer.uuid}"])


def _is_linked(actor: Actor, customer: Customer) -> bool:
    links = Link.objects.filter(company__workspace=actor.workspace, kind="customer", record_uuid=customer.uuid)
    return links.exists()


def _check(typed: CustomerInput) -> CustomerInput:
    checked = check_customer(typed)
    return replace(
        checked,
        country=check_country("country", checked.country),
        currency=check_currency("currency", checked.currency) if checked.currency.strip() else "",
    )
