"""Change data capture: what has changed since a moment, entity by entity, deletions included."""

from __future__ import annotations

from datetime import datetime, timedelta

from .books import Books
from .clock import pacific, read_moment
from .entities.entity import Entity
from .entities.registry import ENTITIES, UNCOVERED
from .evidence import Mark, rule
from .faults import Fault, missing, unsupported
from .jsonio import Json

rule(
    "cdc.blocks",
    "One block for each entity in the order asked; an empty one is {}; oldest change first, no totalCount",
    Mark.RECORDING,
    "recorded change data capture",
)
rule(
    "cdc.deleted",
    "Deletions stand after the live records as domain, status, Id and LastUpdatedTime; a block of deletions only "
    "comes without startPosition and maxResults",
    Mark.REPORT,
    "third-party code",
)
rule(
    "cdc.window",
    "Nothing older than 30 days is answered; an older changedSince is taken as 30 days back (refused with --strict)",
    Mark.RECORDING,
    "a request nine years back was recorded with 200; the 30 days are documented",
)
rule("cdc.size", "At most 1000 objects, the oldest changes first", Mark.DOCUMENT, "Intuit CDC page; which is assumed")
rule(
    "cdc.excluded",
    "TaxCode, TaxRate, TaxAgency, JournalCode and TimeActivity have no change data (4001)",
    Mark.DOCUMENT,
    "Intuit CDC page; the code is assumed",
)
rule("cdc.since", "changedSince is compared in whole seconds, inclusive", Mark.ASSUMPTION)

_DAYS = 30
_LARGEST = 1000
_EXCLUDED = frozenset({"journalcode", "taxagency", "timeactivity", "taxcode", "taxrate"})
_ENTITY = {entity.name.lower(): entity for entity in ENTITIES}


def run_cdc(books: Books, entities: str, since: str, *, strict: bool) -> list[Json]:
    """The CDCResponse list; raises Fault 2020, 4001 or 500."""
    names = [name.strip() for name in entities.split(",") if name.strip()]
    if not names:
        raise missing("entities")
    asked = [_find(name) for name in names]
    left = _LARGEST
    blocks: list[Json] = []
    earliest = _earliest(books, since, strict=strict)
    for entity in asked:
        block, used = _block(books, entity, earliest, left)
        left -= used
        blocks.append(block)
    return [{"QueryResponse": blocks}]


def _find(name: str) -> Entity:
    wanted = name.lower()
    if wanted in _EXCLUDED:
        raise Fault(4001, f"QueryValidationError: change data capture is not available for {name[:60]}")
    entity = _ENTITY.get(wanted)
    if entity is None:
        if wanted in UNCOVERED:
            raise unsupported(f"change data capture of {name} (not covered by the emulator)")
        raise Fault(4001, f"QueryValidationError: invalid context declaration: {name[:60]}")
    return entity


def _earliest(books: Books, since: str, *, strict: bool) -> datetime:
    if not since.strip():
        raise missing("changedSince")
    moment = read_moment(since)
    if moment is None:
        raise Fault(2020, f"changedSince is not a date and time. Supplied value:{since[:60]}", "changedSince")
    oldest = books.clock.now() - timedelta(days=_DAYS)
    if moment < oldest and strict:
        raise Fault(4001, f"QueryValidationError: changedSince is more than {_DAYS} days back")
    return max(moment, oldest).replace(microsecond=0)


def _block(books: Books, entity: Entity, earliest: datetime, limit: int) -> tuple[Json, int]:
    """One entity's QueryResponse and how many objects stand in it."""
    # Times of all records carry the same two offsets, so that most are told apart as text.
    day_before = pacific(earliest - timedelta(days=1)).isoformat(timespec="seconds")
    found: list[tuple[datetime, int, Json]] = []
    for record in books.all(entity.name):
        changed = str(record["MetaData"]["LastUpdatedTime"])
        if changed < day_before:
            continue
        moment = datetime.fromisoformat(changed)
        if moment >= earliest:
            found.append((moment, _number(record), record))
    found.sort(key=lambda each: each[:2])
    live = [entity.render(books, record) for _, _, record in found[:limit]]
    gone = sorted((at, int(number)) for (name, number), at in books.deleted.items() if name == entity.name)
    stubs = [_stub(str(number), at) for at, number in gone if datetime.fromisoformat(at) >= earliest]
    stubs = stubs[: limit - len(live)]
    if not live and not stubs:
        return {}, 0
    block: Json = {entity.name: [*live, *stubs]}
    if live:
        block |= {"startPosition": 1, "maxResults": len(live) + len(stubs)}
    return block, len(live) + len(stubs)


def _number(record: Json) -> int:
    return int(record["Id"]) if str(record["Id"]).isdigit() else 0


def _stub(number: str, at: str) -> Json:
    return {"domain": "QBO", "status": "Deleted", "Id": number, "MetaData": {"LastUpdatedTime": at}}
