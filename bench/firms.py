"""Firms for the benchmarks: connected to companies of the emulator, with as many customers and invoices as wanted.

The books are written in bulk, in the shape that the operations give them; connecting and choosing settings goes through
the operations themselves.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from uuid import uuid4

from django.db import connection, transaction
from django.utils import timezone

from bench.stand import Emulator
from cone.accounting.keyring import seal
from cone.accounting.manage import read_manage
from cone.accounting.outbox import enqueue, wake
from cone.books.models import (
    Connection,
    ConnectionTokens,
    Customer,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    RemoteCompany,
    Service,
    TaxRate,
    User,
    Workspace,
)
from cone.domain.permissions import Role
from cone.domain.services import ServiceInput
from cone.domain.tax_presets import suggest_tax_rates
from cone.domain.workspaces import FirmInput
from cone.operations.actor import Actor
from cone.operations.create_firm import create_firm
from cone.operations.refresh_reference import refresh_reference
from cone.operations.save_accounts import save_accounts
from cone.operations.save_service import save_service
from cone.operations.save_tax_mappings import save_tax_mappings

_serial = count(1)

_WANT = """
insert into books_outboxrow (company_id, kind, record_uuid, wanted_revision, priority, is_in_scope)
select %(company)s, %(kind)s, uuid, revision, %(priority)s, true from {table} where workspace_id = %(workspace)s
    and uuid = any(%(uuids)s)
on conflict do nothing
"""


def connected_firm(emulator: Emulator, *, realm_id: str = "") -> tuple[Actor, Connection]:
    """A British firm, connected to a company of its own, with its rates mapped and its accounts chosen.

    What it sells it sold before it connected, as a firm with a backlog did.
    """
    number = next(_serial)
    user = User.objects.create_user(f"owner{number}@example.com", None)
    workspace = create_firm(user, FirmInput(f"Firm {number}", "GB", "GBP", suggest_tax_rates("GB")))
    actor = Actor(workspace, user, Role.OWNER)
    save_service(actor, ServiceInput("Bookkeeping", unit_price=Decimal(100), tax_rate=find_rate(workspace).uuid))
    realm = realm_id or str(emulator.ask("POST", "companies", {"scenario": "uk-vat"})["realm_id"])
    tokens = emulator.ask("POST", "tokens", {"realm_id": realm})
    active = _store(actor, realm, tokens)
    refresh_reference(actor)
    manage = read_manage(workspace.pk)
    codes = {code.percent: code.remote_id for code in manage.tax_codes if code.percent is not None and code.is_active}
    rates = {
        rate.uuid: codes[rate.percent] for rate in TaxRate.objects.filter(workspace=workspace) if rate.percent in codes
    }
    save_tax_mappings(actor, rates)
    income = next(account for account in manage.income_accounts)
    save_accounts(actor, deposit_account_id=manage.deposit_accounts[0].remote_id, income_account_id=income.remote_id)
    active.refresh_from_db()
    return actor, active


def find_rate(workspace: Workspace) -> TaxRate:
    """The firm's rate of 20 %."""
    return TaxRate.objects.filter(workspace=workspace, percent=20, is_no_tax=False)[0]


def _store(actor: Actor, realm: str, tokens: dict[str, object]) -> Connection:
    keys = {"provider": "quickbooks", "environment": "emulator"}
    company = RemoteCompany.objects.create(workspace=actor.workspace, remote_id=realm, **keys)
    active = Connection.objects.create(
        workspace=actor.workspace, company=company, company_id_remote=realm, connected_by=actor.user, **keys
    )
    now = timezone.now()
    ConnectionTokens.objects.create(
        connection=active,
        access_token=seal(str(tokens["access_token"])),
        refresh_token=seal(str(tokens["refresh_token"])),
        access_expires_at=now + timedelta(minutes=55),
        refresh_expires_at=now + timedelta(days=100),
    )
    return active


def make_customers(actor: Actor, number: int) -> list[Customer]:
    """Customers of names that nobody else has."""
    return Customer.objects.bulk_create(
        Customer(
            workspace=actor.workspace,
            name=f"Customer {next(_serial)} & Co",
            email=f"books{place}@example.com",
            address_line1=f"{place} High Street",
            city="Leeds",
            postal_code="LS1 1AA",
            country="GB",
            currency="GBP",
        )
        for place in range(number)
    )


def make_invoices(actor: Actor, customers: list[Customer], number: int) -> list[Invoice]:
    """Issued invoices of three lines at 20 %, spread over the customers."""
    workspace, today = actor.workspace, timezone.localdate()
    rate = find_rate(workspace)
    service = Service.objects.get(workspace=workspace, name="Bookkeeping")
    invoices, lines, taxes = [], [], []
    for place in range(number):
        prices = [Decimal(10 + place % 90), Decimal("33.33"), Decimal("7.50")]
        net = sum(prices, start=Decimal(0))
        tax = (net * 20 / 100).quantize(Decimal("0.01"), "ROUND_HALF_UP")
        invoice = Invoice(
            uuid=uuid4(),
            workspace=workspace,
            customer=customers[place % len(customers)],
            status="issued",
            number=f"B-{next(_serial)}",
            issue_date=today,
            due_date=today + timedelta(days=30),
            currency="GBP",
            memo="Thank you",
            net=net,
            tax=tax,
            total=net + tax,
            issued_at=timezone.now(),
        )
        invoices.append(invoice)
        taxes.append(
            InvoiceTax(
                workspace=workspace, invoice=invoice, tax_rate=rate, name=rate.name, percent=20, net=net, tax=tax
            )
        )
        lines += [
            InvoiceLine(
                workspace=workspace,
                invoice=invoice,
                position=position,
                service=service,
                description=f"Work in month {position}",
                quantity=Decimal(1),
                unit_price=price,
                tax_rate=rate,
                tax_percent=20,
                amount=price,
                net=price,
            )
            for position, price in enumerate(prices)
        ]
    with transaction.atomic():
        Invoice.objects.bulk_create(invoices, batch_size=1000)
        InvoiceLine.objects.bulk_create(lines, batch_size=1000)
        InvoiceTax.objects.bulk_create(taxes, batch_size=1000)
    return invoices


def want(active: Connection, kind: str, records: list[Customer] | list[Invoice], *, priority: int = 10) -> None:
    """Ask that these stand there, without waking the lane."""
    table = {"customer": "books_customer", "invoice": "books_invoice"}[kind]
    with connection.cursor() as cursor:
        cursor.execute(
            _WANT.format(table=table),
            {
                "company": active.company_id,
                "kind": kind,
                "priority": priority,
                "workspace": active.workspace_id,
                "uuids": [record.uuid for record in records],
            },
        )


def hold(active: Connection) -> None:
    """Pause it, so that a worker that sweeps finds nothing before the word is given."""
    Connection.objects.filter(pk=active.pk).update(paused_at=timezone.now())


def go(actives: Sequence[Connection]) -> None:
    """Wake the lanes, of held ones too."""
    Connection.objects.filter(pk__in=[active.pk for active in actives], paused_at__isnull=False).update(paused_at=None)
    with transaction.atomic():
        for active in actives:
            wake(active.pk)


def issue(actor: Actor, invoice: Invoice) -> None:
    """Commit that this invoice must stand there, as issuing it does, and wake the lane."""
    with transaction.atomic():
        enqueue(workspace_id=actor.workspace.pk, kind="invoice", record_uuid=invoice.uuid, revision=1, is_in_scope=True)


def database_now() -> datetime:
    """The database's clock, which attempts are dated by."""
    with connection.cursor() as cursor:
        cursor.execute("select clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
        return now
