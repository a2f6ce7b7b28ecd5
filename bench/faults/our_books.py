"""Our books as the tables hold them, read with SQL of its own; and of each record why it isn't there, if its row says.

A row says why by its own cause, or by waiting for a record that has one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row

# Who is connected to which company, and each record's row. What waits for another record has that one's cause.
_ROWS = """
with recursive row as (
    select o.record_uuid, coalesce(split_part(o.cause_key, ':', 1), '') as cause, o.waits_for_uuid, 0 as depth
    from books_outboxrow o
    union all
    select row.record_uuid, coalesce(split_part(o.cause_key, ':', 1), ''), o.waits_for_uuid, row.depth + 1
    from row join books_outboxrow o on o.record_uuid = row.waits_for_uuid
    where row.cause = '' and row.depth < 5)
select record_uuid, cause, depth from row where cause <> ''
"""
_CUSTOMERS = """
select c.uuid, c.name, c.email, k.company_id_remote as realm,
    coalesce(a.body ->> 'DisplayName', '') as sent_name,
    coalesce(a.body -> 'PrimaryEmailAddr' ->> 'Address', '') as sent_email,
    array(select jsonb_array_elements(o.cause -> 'candidates') ->> 'remote_id') as offered
from books_customer c join books_connection k on k.workspace_id = c.workspace_id and k.state <> 'disconnected'
left join books_outboxrow o on o.record_uuid = c.uuid and o.company_id = k.company_id and o.state = 'blocked'
left join (
    select record_uuid, company_id, convert_from(body, 'UTF8')::jsonb as body from books_attempt
    where kind = 'customer' and operation = 'create' and state = 'unknown') a
    on a.record_uuid = c.uuid and a.company_id = k.company_id
"""
_ITEMS = """
select s.uuid, s.name, k.company_id_remote as realm, coalesce(a.remote_id, k.income_account_id) as account
from books_service s join books_connection k on k.workspace_id = s.workspace_id and k.state <> 'disconnected'
left join books_serviceaccount a on a.service_id = s.id and a.connection_id = k.id
"""
_INVOICES = """
select i.uuid, coalesce(i.number, '') as number, i.status, c.name as customer, k.company_id_remote as realm,
    i.issue_date, i.due_date, i.total, i.tax
from books_invoice i join books_customer c on c.id = i.customer_id
join books_connection k on k.workspace_id = i.workspace_id and k.state <> 'disconnected'
where i.status <> 'draft'
"""
_LINES = """
select i.uuid, s.name as item, l.description, l.net, coalesce(a.remote_id, k.income_account_id) as account,
    coalesce(m.remote_id, '') as tax_code
from books_invoiceline l join books_invoice i on i.id = l.invoice_id join books_service s on s.id = l.service_id
join books_connection k on k.workspace_id = l.workspace_id and k.state <> 'disconnected'
left join books_serviceaccount a on a.service_id = s.id and a.connection_id = k.id
left join books_taxmapping m on m.tax_rate_id = l.tax_rate_id and m.connection_id = k.id
where i.status <> 'draft'
order by l.invoice_id, l.position
"""
_PAYMENTS = """
select p.uuid, p.reference, c.name as customer, k.company_id_remote as realm, p.received_date, p.amount,
    p.voided_at is not null as is_void, k.deposit_account_id as account
from books_payment p join books_customer c on c.id = p.customer_id
join books_connection k on k.workspace_id = p.workspace_id and k.state <> 'disconnected'
"""
_PARTS = """
select p.uuid as payment, i.uuid as invoice, a.amount
from books_paymentallocation a join books_payment p on p.id = a.payment_id join books_invoice i on i.id = a.invoice_id
"""


@dataclass(frozen=True, slots=True)
class OurRecord:
    """What every record has."""

    uuid: str
    realm: str
    cause: str


@dataclass(frozen=True, slots=True)
class OurCustomer(OurRecord):
    """A customer. Of a create whose outcome isn't known: what it sent, and the ids that its card offers to link."""

    name: str
    email: str
    sent_name: str = ""
    sent_email: str = ""
    offered: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class OurItem(OurRecord):
    """A service, and the account that its lines must post to."""

    name: str
    account: str


@dataclass(frozen=True, slots=True)
class OurLine:
    """One line as it must stand there."""

    item: str
    description: str
    account: str
    tax_code: str
    net: Decimal


@dataclass(frozen=True, slots=True)
class OurInvoice(OurRecord):
    """An issued invoice, or a void one."""

    number: str
    customer: str
    issue_date: str
    due_date: str
    total: Decimal
    tax: Decimal
    lines: tuple[OurLine, ...]
    is_void: bool


@dataclass(frozen=True, slots=True)
class OurPayment(OurRecord):
    """A payment, and what of it pays which invoice, by uuid."""

    reference: str
    customer: str
    received_date: str
    amount: Decimal
    account: str
    applied: Mapping[str, Decimal]
    is_void: bool


@dataclass
class OurBooks:
    """Everything of the connected firms that should stand there."""

    customers: list[OurCustomer] = field(default_factory=list)
    items: list[OurItem] = field(default_factory=list)
    invoices: list[OurInvoice] = field(default_factory=list)
    payments: list[OurPayment] = field(default_factory=list)

    def all_records(self) -> Iterator[OurRecord]:
        """Every record of every kind."""
        yield from self.customers
        yield from self.items
        yield from self.invoices
        yield from self.payments


def read_ours(dsn: str) -> OurBooks:
    """All firms at one moment."""
    with psycopg.connect(dsn, row_factory=dict_row) as database:
        database.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ

        def ask(statement: Any) -> list[dict[str, Any]]:
            return database.execute(statement).fetchall()

        causes = {
            str(row["record_uuid"]): f"waits: {row['cause']}" if row["depth"] else row["cause"] for row in ask(_ROWS)
        }
        lines: dict[str, list[OurLine]] = {}
        for row in ask(_LINES):
            uuid = str(row.pop("uuid"))
            lines.setdefault(uuid, []).append(OurLine(**row))
        parts: dict[str, dict[str, Decimal]] = {}
        for row in ask(_PARTS):
            parts.setdefault(str(row["payment"]), {})[str(row["invoice"])] = row["amount"]
        books = OurBooks()
        for row in ask(_CUSTOMERS):
            books.customers.append(OurCustomer(**_record(row, causes)))
        for row in ask(_ITEMS):
            books.items.append(OurItem(**_record(row, causes)))
        for row in ask(_INVOICES):
            values = _record(row, causes)
            is_void = values.pop("status") == "void"
            books.invoices.append(OurInvoice(**values, lines=tuple(lines.get(values["uuid"], ())), is_void=is_void))
        for row in ask(_PAYMENTS):
            values = _record(row, causes)
            books.payments.append(OurPayment(**values, applied=parts.get(values["uuid"], {})))
    return books


def _record(row: dict[str, Any], causes: Mapping[str, str]) -> dict[str, Any]:
    """Dates as the platform writes them, and the cause of its row."""
    uuid = str(row["uuid"])
    dates: dict[str, Any] = {
        name: row[name].isoformat() for name in ("issue_date", "due_date", "received_date") if name in row
    }
    return {**row, **dates, "uuid": uuid, "cause": causes.get(uuid, "")}
