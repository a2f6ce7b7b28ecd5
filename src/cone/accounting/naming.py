"""What becomes of a customer whose name is taken there: looked up, decided by `names`, written down."""

from dataclasses import replace
from datetime import timedelta

from cone.accounting.attempts import Attempt, Fence, check_fence, close_attempts
from cone.accounting.database import Database
from cone.accounting.names import ENTITIES, Ask, Link, Suffix, namesakes_to_json, possible_names, resolve_name
from cone.accounting.port.documents import CustomerDocument, Namesake, RemoteRecord
from cone.accounting.port.provider import Access, ProviderClient
from cone.accounting.port.verdicts import RejectedError
from cone.accounting.records import Situation, Subject
from cone.accounting.settle import Settler
from cone.accounting.sql import outcomes as outcomes_sql
from cone.accounting.sql import records as records_sql


async def find_namesakes(client: ProviderClient, access: Access, document: CustomerDocument) -> tuple[Namesake, ...]:
    """Everybody there who has the name, or one that it may be suffixed to. Raises verdicts."""
    found: list[Namesake] = []
    for entity in ENTITIES:
        found += await client.find_namesakes(access, entity, possible_names(document.own_name or document.name))
    return tuple(found)


async def settle_name(
    database: Database,
    settler: Settler,
    fence: Fence,
    *,
    subject: Subject,
    attempt: Attempt,
    verdict: RejectedError,
    namesakes: tuple[Namesake, ...],
    situation: Situation,
) -> None:
    """Link it, remember its suffixed name and send it again, or ask. The attempt was refused: nothing was made."""
    document = subject.record
    if not isinstance(document, CustomerDocument):
        raise TypeError("only customers have namesakes")
    values = {"company": fence.company_pk, "ids": [entry.remote_id for entry in namesakes], "uuid": document.uuid}
    rows = await (await database.execute(records_sql.CUSTOMERS_LINKED, values)).fetchall()
    linked_ids = {row["remote_id"] for row in rows if row["remote_id"] is not None}
    is_one_on_its_way = any(row["remote_id"] is None for row in rows)
    resolution = resolve_name(
        document,
        document.own_name or document.name,
        namesakes,
        linked_ids=linked_ids,
        may_link=subject.link is None and not is_one_on_its_way,
        may_suffix=situation.name_policy == "suffix" and not _may_be_ours(attempt, namesakes, linked_ids),
    )
    match resolution:
        case Link(namesake):
            await settler.found(database, subject.row, record=_as_record(namesake), attempt=attempt)
        case Suffix(name):
            await _rename(database, fence, subject, attempt, verdict, name)
        case Ask():
            params = {**verdict.params, "namesakes": namesakes_to_json(namesakes)}
            asking = replace(verdict, params=params)
            await settler.failed(database, subject, attempt, verdict=asking, situation=situation)


def _may_be_ours(attempt: Attempt, namesakes: tuple[Namesake, ...], linked_ids: set[str]) -> bool:
    """Whether an earlier send of this very attempt may have made one of them: then only a person may make another."""
    if attempt.sends <= 1:
        return False
    return any(entry.entity == "customer" and entry.remote_id not in linked_ids for entry in namesakes)


def _as_record(namesake: Namesake) -> RemoteRecord:
    return RemoteRecord(
        kind="customer",
        remote_id=namesake.remote_id,
        version=namesake.version,
        name=namesake.name,
        email=namesake.email,
        currency=namesake.currency,
    )


async def _rename(
    database: Database, fence: Fence, subject: Subject, attempt: Attempt, verdict: RejectedError, name: str
) -> None:
    row, document = subject.row, subject.record
    own_name = document.own_name if isinstance(document, CustomerDocument) else name
    async with database.transaction():
        await check_fence(database, fence)
        await close_attempts(database, [(attempt, verdict.answered)], state="failed", verdict="rejected")
        await database.execute(
            outcomes_sql.SAVE_NAME,
            {
                "company": fence.company_pk,
                "kind": row.kind,
                "uuid": row.uuid,
                "own_name": own_name,
                "remote_name": name,
            },
        )
        await database.execute(outcomes_sql.ROWS_DUE, {"rows": [row.id], "delay": timedelta(), "tried": 1})
