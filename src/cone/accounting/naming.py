"""What becomes of a customer whose name is taken there: looked up, decided by `names`, written down."""

from dataclasses import replace
from datetime import timedelta

from cone.accounting.attempts import Attempt, Fence, check_fence, close_attempts
from cone.accounting.conclusions import Conclusion
from cone.accounting.database import Database
from cone.accounting.errands import Errand
from cone.accounting.names import (
    ENTITIES,
    Ask,
    Link,
    Suffix,
    is_same_name,
    namesakes_to_json,
    possible_names,
    resolve_name,
)
from cone.accounting.port.documents import CustomerDocument, Namesake, RemoteRecord
from cone.accounting.port.provider import Access, Provider, ProviderClient, WireRequest
from cone.accounting.port.sent import SentRecord
from cone.accounting.port.verdicts import RejectedError
from cone.accounting.records import Subject
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
    errand: Errand,
    attempt: Attempt,
    verdict: RejectedError,
    namesakes: tuple[Namesake, ...],
    provider: Provider,
) -> None:
    """Link it, remember its suffixed name and send it again, or ask. The attempt was refused: nothing was made."""
    subject, situation = errand.subject, errand.situation
    document = subject.record
    if not isinstance(document, CustomerDocument):
        raise TypeError("only customers have namesakes")
    values = {"company": fence.company_pk, "ids": [entry.remote_id for entry in namesakes], "uuid": document.uuid}
    rows = await (await database.execute(records_sql.CUSTOMERS_LINKED, values)).fetchall()
    linked_ids = {row["remote_id"] for row in rows}
    others = await (await database.execute(records_sql.OTHER_OPEN_CUSTOMERS, values)).fetchall()
    sent = [provider.read_sent("customer", WireRequest(row["request_line"], bytes(row["body"]))) for row in others]
    resolution = resolve_name(
        document,
        document.own_name or document.name,
        namesakes,
        linked_ids=linked_ids,
        may_link=subject.link is None and not any(_may_be_one_of(each, namesakes) for each in sent),
        may_suffix=situation.name_policy == "suffix" and not _may_be_ours(attempt, namesakes, linked_ids),
    )
    match resolution:
        case Link(namesake):
            record, since = _as_record(namesake), attempt.started_at
            await settler.found(database, subject, record=record, since=since, attempt=attempt)
        case Suffix(name):
            await _rename(database, fence, subject, attempt, verdict, name)
        case Ask(seen):
            params = {**verdict.params, "namesakes": namesakes_to_json(seen)}
            asking = replace(verdict, params=params)
            await settler.failed(database, subject, attempt, verdict=asking, situation=situation)


def _may_be_one_of(sent: SentRecord, namesakes: tuple[Namesake, ...]) -> bool:
    """Whether another customer's create that is still out may have made one of them: by its name or its address."""
    email = sent.email.casefold()
    return any(
        is_same_name(entry.name, sent.name) or (email != "" and entry.email.casefold() == email) for entry in namesakes
    )


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
        await close_attempts(database, [(attempt, verdict.answered)], state="failed", verdict=Conclusion.REJECTED)
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
