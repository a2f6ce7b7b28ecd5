"""Lets a firm's book grow by copying what was really sent: invoices with lines and taxes, links and attempts."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.db.models import Model

    from cone.books.models import Connection

_COPY_INVOICES = """
insert into books_invoice ({columns}, uuid, number)
select {columns}, gen_random_uuid(), number || '-' || %(label)s || '-' || g
from books_invoice, generate_series(1, %(times)s) g
where workspace_id = %(workspace)s and number = any(%(numbers)s)
"""

_PAIR = """
create temporary table copied as
select i.id as old_id, i.uuid as old_uuid, c.id as new_id, c.uuid as new_uuid
from books_invoice i cross join generate_series(1, %(times)s) g
join books_invoice c on c.workspace_id = %(workspace)s and c.number = i.number || '-' || %(label)s || '-' || g
where i.workspace_id = %(workspace)s and i.number = any(%(numbers)s);
"""

_COPY_PARTS = """
insert into {table} ({columns}, invoice_id)
select {prefixed}, c.new_id from copied c join {table} p on p.invoice_id = c.old_id
"""

_COPY_LINKS = """
insert into books_link ({columns}, record_uuid, remote_id)
select {prefixed}, c.new_uuid, p.remote_id || '-' || c.new_id
from copied c join books_link p on p.record_uuid = c.old_uuid and p.kind = 'invoice'
"""

_COPY_ATTEMPTS = """
insert into books_attempt ({columns}, record_uuid, request_id)
select {prefixed}, c.new_uuid, gen_random_uuid()::text
from copied c join books_attempt p on p.record_uuid = c.old_uuid and p.kind = 'invoice'
"""

_WANT = """
insert into books_outboxrow (company_id, kind, record_uuid, wanted_revision, priority, is_in_scope)
select %(company)s, 'invoice', new_uuid, 1, 10, true from copied
"""


def multiply(active: "Connection", numbers: list[str], *, times: int, label: str, is_sent: bool) -> int:
    """Copy these sent invoices so many times: as sent, with links and attempts, or as waiting. How many."""
    from django.db import connection  # noqa: PLC0415  # after django.setup()

    from cone.books.models import Attempt, Invoice, InvoiceLine, InvoiceTax, Link  # noqa: PLC0415  # as above

    values: dict[str, Any] = {
        "workspace": active.workspace_id,
        "company": active.company_id,
        "numbers": numbers,
        "times": times,
        "label": label,
    }
    parts = [
        (_COPY_PARTS, InvoiceLine, {"id", "invoice_id"}),
        (_COPY_PARTS, InvoiceTax, {"id", "invoice_id"}),
    ]
    if is_sent:
        parts.append((_COPY_LINKS, Link, {"id", "record_uuid", "remote_id"}))
        parts.append((_COPY_ATTEMPTS, Attempt, {"id", "record_uuid", "request_id", "batch_id", "batch_place"}))
    with connection.cursor() as cursor:
        # Copies refer to what their originals refer to: checking each of them again would take minutes.
        cursor.execute("set session_replication_role = replica")
        cursor.execute(_written(_COPY_INVOICES, Invoice, {"id", "uuid", "number"}), values)
        cursor.execute("analyze books_invoice")
        cursor.execute(_PAIR, values)
        cursor.execute("analyze copied")
        for statement, model, without in parts:
            cursor.execute(_written(statement, model, without), values)
        if not is_sent:
            cursor.execute(_WANT, values)
        cursor.execute("set session_replication_role = origin")
        cursor.execute("drop table copied")
        # Left to itself, the database would tidy up in the middle of what is measured.
        cursor.execute("vacuum analyze")
    return len(numbers) * times


def _written(statement: str, model: "type[Model]", without: set[str]) -> str:
    columns = [
        field.column
        for field in model._meta.concrete_fields
        if field.column and field.column not in without and not field.generated
    ]
    return statement.format(
        table=model._meta.db_table,
        columns=", ".join(columns),
        prefixed=", ".join(f"p.{column}" for column in columns),
    )
