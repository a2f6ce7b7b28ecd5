"""Companies at rest, made from one that was really connected, and a clock that can be moved for them.

The moved clock is a schema before `pg_catalog` in the database's search path, whose `now()` and its kin add what was
moved. The code under measurement is the same; it asks the database for the time as always.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bench.stand import Emulator

if TYPE_CHECKING:
    from django.db.models import Model

_COPY_FIRMS = """
with firm as (
    insert into books_workspace ({workspace})
    select {workspace_values} from books_workspace, unnest(%(realms)s::text[]) with ordinality as t(realm, place)
    where id = %(workspace)s
    returning id
), numbered as (
    select id, row_number() over (order by id) as place from firm
), company as (
    insert into books_remotecompany (workspace_id, provider, environment, remote_id)
    select n.id, r.provider, r.environment, t.realm
    from numbered n join unnest(%(realms)s::text[]) with ordinality as t(realm, place) using (place),
         books_remotecompany r where r.id = %(company)s
    returning id, workspace_id, remote_id
)
insert into books_connection ({connection}, uuid, workspace_id, company_id, company_id_remote, facts_read_at)
select {connection_values}, gen_random_uuid(), o.workspace_id, o.id, o.remote_id,
       now() - random() * interval '24 hours'
from company o, books_connection c where c.id = %(connection)s
"""

_COPY_REFERENCE = """
insert into books_referencerecord ({columns}, connection_id)
select {values}, c.id from books_referencerecord p, books_connection c
where p.connection_id = %(connection)s and c.id > %(connection)s
"""

_CLOCK = """
create schema moved;
create table moved.by (span interval not null);
insert into moved.by values ('0');
create function moved.now() returns timestamptz stable language sql as
    'select pg_catalog.now() + span from moved.by';
create function moved.transaction_timestamp() returns timestamptz stable language sql as
    'select pg_catalog.now() + span from moved.by';
create function moved.statement_timestamp() returns timestamptz stable language sql as
    'select pg_catalog.statement_timestamp() + span from moved.by';
create function moved.clock_timestamp() returns timestamptz volatile language sql as
    'select pg_catalog.clock_timestamp() + span from moved.by';
"""


def open_companies(emulator: Emulator, number: int) -> None:
    """So many connections, each with its company and tokens there; their lists were read at some time of the day."""
    from bench.firms import connected_firm  # noqa: PLC0415  # after django.setup()
    from cone.books.models import Connection, ReferenceRecord, Workspace  # noqa: PLC0415  # as above

    actor, active = connected_firm(emulator)
    tokens = [_open(emulator) for _ in range(number - 1)]
    values = {
        "workspace": actor.workspace.pk,
        "company": active.company_id,
        "connection": active.pk,
        "realms": [each["realm_id"] for each in tokens],
    }
    own = {"id", "uuid", "workspace_id", "company_id", "company_id_remote", "facts_read_at"}
    workspace = _columns(Workspace, {"id"})
    connection_ = _columns(Connection, own)
    _run(
        _COPY_FIRMS.format(
            workspace=", ".join(workspace),
            workspace_values=", ".join("gen_random_uuid()" if each == "uuid" else each for each in workspace),
            connection=", ".join(connection_),
            connection_values=", ".join(f"c.{each}" for each in connection_),
        ),
        values,
    )
    columns = _columns(ReferenceRecord, {"id", "connection_id"})
    _run(_COPY_REFERENCE.format(columns=", ".join(columns), values=", ".join(f"p.{each}" for each in columns)), values)
    _store_tokens(tokens)
    _run("analyze", {})


def _open(emulator: Emulator) -> dict[str, object]:
    realm_id = emulator.ask("POST", "companies", {"scenario": "uk-vat"})["realm_id"]
    return emulator.ask("POST", "tokens", {"realm_id": realm_id})


def _store_tokens(tokens: list[dict[str, object]]) -> None:
    from django.utils import timezone  # noqa: PLC0415  # after django.setup()

    from cone.accounting.keyring import seal  # noqa: PLC0415  # as above
    from cone.books.models import Connection, ConnectionTokens  # noqa: PLC0415  # as above

    connections = dict(Connection.objects.values_list("company_id_remote", "pk"))
    now = timezone.now()
    ConnectionTokens.objects.bulk_create(
        (
            ConnectionTokens(
                connection_id=connections[str(each["realm_id"])],
                access_token=seal(str(each["access_token"])),
                refresh_token=seal(str(each["refresh_token"])),
                access_expires_at=now + timedelta(minutes=55),
                refresh_expires_at=now + timedelta(days=100),
            )
            for each in tokens
        ),
        batch_size=1000,
    )


def use_injected_clock() -> None:
    """Have the database's time be one that `move_clocks` moves; for connections opened from now on."""
    from django.db import connection  # noqa: PLC0415  # after django.setup()

    _run(_CLOCK, {})
    with connection.cursor() as cursor:
        cursor.execute("select current_database()")
        name = cursor.fetchone()[0]
        cursor.execute(f'alter database "{name}" set search_path = moved, public, pg_catalog')
    connection.close()


def move_clocks(emulator: Emulator, span: timedelta) -> None:
    """Move the database's clock and the emulator's."""
    from django.db import connection  # noqa: PLC0415  # after django.setup()

    _run("update moved.by set span = span + %(span)s", {"span": span})
    emulator.ask("POST", "clock", {"jump_seconds": span // timedelta(seconds=1)})
    connection.close()  # threads that ask don't come back


def _columns(model: "type[Model]", without: set[str]) -> list[str]:
    return [
        field.column
        for field in model._meta.concrete_fields
        if field.column and field.column not in without and not field.generated
    ]


def _run(statement: str, values: dict[str, Any]) -> None:
    from django.db import connection  # noqa: PLC0415  # after django.setup()

    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
