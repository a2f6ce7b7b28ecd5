"""What the rules of the books may ask of a company and of a change under way; the books themselves are behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Protocol

from .clock import Clock
from .jsonio import Json


class View(Protocol):
    """What an answer is rendered from: the books, or a transaction over them."""

    @property
    def account_balances(self) -> Mapping[str, Decimal]: ...

    @property
    def name_balances(self) -> Mapping[str, Decimal]: ...

    @property
    def quantities(self) -> Mapping[str, Decimal]: ...

    def get(self, entity: str, number: str) -> Json | None: ...

    def holders(self, space: str, key: str) -> list[tuple[str, str]]: ...


class Company(View, Protocol):
    """One company's books as they were before the change."""

    @property
    def clock(self) -> Clock: ...

    @property
    def country(self) -> str: ...

    @property
    def info(self) -> Json: ...

    @property
    def preferences(self) -> Json: ...

    def highest(self, sequence: str) -> int: ...


class Txn(View, Protocol):
    """A change under way: reads see what it has staged."""

    @property
    def books(self) -> Company: ...

    @property
    def include(self) -> frozenset[str]: ...

    @property
    def now(self) -> str: ...

    def all(self, entity: str) -> Iterable[Json]: ...

    def put(self, entity: str, record: Json) -> None: ...

    def touch(self, entity: str, record: Json) -> None: ...

    def next_id(self, sequence: str) -> str: ...
