"""One company's books in memory: records, the indexes over them, and the transaction in which they change.

A transaction collects changes, writes them to the journal, and only then makes them visible; a fault in between leaves
nothing behind. Balances are not stored in records: they are sums kept up to date here.
"""

from collections import ChainMap, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from decimal import Decimal

from .clock import Clock
from .entities.entity import Entity
from .entities.registry import BY_NAME
from .jsonio import ZERO, Json
from .store import Journal, Replay, Row

Key = tuple[str, str]
Parts = Callable[[Entity, Json], Iterable[tuple[str, Decimal]]]


class Books:
    """The records of one company (realm)."""

    def __init__(self, realm: str, journal: Journal, clock: Clock) -> None:
        self.realm = realm
        self.journal = journal
        self.clock = clock
        self.records: dict[str, dict[str, Json]] = defaultdict(dict)
        self.deleted: dict[Key, str] = {}
        self.last_words: dict[Key, Json] = {}
        self.replays: dict[str, Replay] = {}
        self.account_balances: dict[str, Decimal] = defaultdict(lambda: ZERO)
        self.name_balances: dict[str, Decimal] = defaultdict(lambda: ZERO)
        self.quantities: dict[str, Decimal] = defaultdict(lambda: ZERO)
        self._keys: dict[Key, list[Key]] = defaultdict(list)
        self._highest: dict[str, int] = defaultdict(int)

    def get(self, entity: str, number: str) -> Json | None:
        return self.records[entity].get(number)

    def all(self, entity: str) -> Iterable[Json]:
        return self.records[entity].values()

    def holders(self, space: str, key: str) -> list[Key]:
        """The (entity, id) pairs that hold a key such as a display name or a document number."""
        return self._keys.get((space, key), [])

    @property
    def info(self) -> Json:
        return self.records["CompanyInfo"]["1"]

    @property
    def preferences(self) -> Json:
        return self.records["Preferences"]["1"]

    @property
    def country(self) -> str:
        return str(self.info["Country"])

    def highest(self, sequence: str) -> int:
        return self._highest[sequence]

    def load(self, row: Row) -> None:
        """Take over a row as it was journaled."""
        self._apply(row)

    def _apply(self, row: Row) -> None:
        entity = BY_NAME[row.entity]
        before = self.records[row.entity].get(row.id)
        if row.deleted_at is not None:
            self.records[row.entity].pop(row.id, None)
            self.deleted[(row.entity, row.id)] = row.deleted_at
            self.last_words[(row.entity, row.id)] = row.body.get("was") or before or {}
        else:
            self.records[row.entity][row.id] = row.body
        after = None if row.deleted_at is not None else row.body
        self._count(entity.sequence, int(row.id) if row.id.isdigit() else 0)
        for sequence, number in entity.serials(after) if after is not None else ():
            self._count(sequence, number)
        self._index(entity, row.id, before, after)
        for record, sign in ((before, -1), (after, 1)):
            if record is None:
                continue
            for account, amount in entity.postings(self, record):
                self.account_balances[account] += sign * amount
            for name, amount in entity.owed(record):
                self.name_balances[name] += sign * amount
            for item, quantity in entity.moved(record):
                self.quantities[item] += sign * quantity

    def _count(self, sequence: str, number: int) -> None:
        self._highest[sequence] = max(self._highest[sequence], number)

    def _index(self, entity: Entity, number: str, before: Json | None, after: Json | None) -> None:
        place = (entity.name, number)
        for key in entity.keys(before) if before is not None else ():
            self._keys[key].remove(place)
            if not self._keys[key]:
                del self._keys[key]
        for key in entity.keys(after) if after is not None else ():
            self._keys[key].append(place)

    def commit(self, rows: list[Row], replay: Replay | None) -> None:
        self.journal.write(self.realm, rows, replay)
        for row in rows:
            self._apply(row)
        if replay is not None:
            self.replays[replay.request_id] = replay


class Txn:
    """A set of changes to one company that happens as a whole; reads see what is staged."""

    def __init__(self, books: Books, include: Collection[str] = (), hidden: Collection[Key] = ()) -> None:
        """`hidden` records exist but are not seen: what a batch has made so far."""
        self.books = books
        self._hidden = hidden
        self.include = frozenset(include)
        self.now = books.clock.stamp()
        self._staged: dict[Key, Row] = {}
        self._taken: dict[str, int] = {}

    @property
    def account_balances(self) -> Mapping[str, Decimal]:
        return self._sums(self.books.account_balances, lambda entity, record: entity.postings(self, record))

    @property
    def name_balances(self) -> Mapping[str, Decimal]:
        return self._sums(self.books.name_balances, lambda entity, record: entity.owed(record))

    @property
    def quantities(self) -> Mapping[str, Decimal]:
        return self._sums(self.books.quantities, lambda entity, record: entity.moved(record))

    def _sums(self, kept: dict[str, Decimal], parts: Parts) -> Mapping[str, Decimal]:
        """The sums as they will be once what is staged has been committed."""
        changed: dict[str, Decimal] = {}
        for (kind, number), row in self._staged.items():
            after = None if row.deleted_at is not None else row.body
            for record, sign in ((self.books.get(kind, number), -1), (after, 1)):
                for key, amount in parts(BY_NAME[kind], record) if record is not None else ():
                    changed[key] = changed.get(key, kept.get(key, ZERO)) + sign * amount
        return ChainMap(changed, kept)

    def get(self, entity: str, number: str) -> Json | None:
        if (entity, number) in self._hidden:
            return None
        row = self._staged.get((entity, number))
        if row is not None:
            return None if row.deleted_at is not None else row.body
        return self.books.get(entity, number)

    def all(self, entity: str) -> Iterator[Json]:
        for number, record in self.books.records[entity].items():
            if (entity, number) not in self._staged:
                yield record
        for row in self._staged.values():
            if row.entity == entity and row.deleted_at is None:
                yield row.body

    def holders(self, space: str, key: str) -> list[Key]:
        """As the books know them; what is staged is not among them yet."""
        return self.books.holders(space, key)

    def put(self, entity: str, record: Json) -> None:
        self._staged[(entity, record["Id"])] = Row(entity, record["Id"], record)

    def remove(self, entity: str, number: str, **trace: str) -> None:
        body: Json = {"domain": "QBO", "status": "Deleted", "Id": number, "MetaData": {"LastUpdatedTime": self.now}}
        body |= {**trace, "was": self.get(entity, number)}
        self._staged[(entity, number)] = Row(entity, number, body, self.now)

    def next_id(self, sequence: str) -> str:
        taken = self._taken.get(sequence, self.books.highest(sequence)) + 1
        self._taken[sequence] = taken
        return str(taken)

    def touch(self, entity: str, record: Json) -> None:
        """Stage a changed copy whose version grew by a side effect."""
        changed = {**record, "SyncToken": str(int(record["SyncToken"]) + 1)}
        changed["MetaData"] = {**record["MetaData"], "LastUpdatedTime": self.now}
        self.put(entity, changed)

    def commit(self, replay: Replay | None = None) -> None:
        self.books.commit(list(self._staged.values()), replay)
