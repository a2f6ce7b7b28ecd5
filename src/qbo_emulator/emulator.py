"""One running emulator: its companies, grants, clock, journal, and what it remembers of requests and faults."""

from __future__ import annotations

import gc
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from .books import Books
from .clock import Clock
from .control.injections import Injections
from .control.recorder import Recorder
from .limits import Throttle
from .oauth.grants import Grants
from .oauth.signing import SigningKey
from .ordered import LateWork
from .request_ids import RequestIds
from .scenarios import SCENARIOS
from .scenarios.builder import build
from .settings import Settings
from .store import Journal, Row
from .webhooks.outbox import Outbox

if TYPE_CHECKING:
    from .scenarios.plan import CompanyPlan


class UnknownScenarioError(ValueError):
    """No scenario has this name."""


class Emulator:
    """Everything a request can reach."""

    def __init__(self, settings: Settings) -> None:
        self.settings = self._settings_at_start = settings
        self.clock = Clock(behind_seconds=settings.clock_behind_seconds)
        self.journal = Journal(settings.data_dir)
        self.companies: dict[str, Books] = {}
        self.grants = Grants(settings, self.clock, self.journal)
        self.signing = SigningKey(self.journal)
        self.injections = Injections()
        self.late = LateWork(self.clock)
        self.recorder = Recorder(settings.remembered_requests)
        self.throttle = Throttle(self.clock, settings.limits)
        self.request_ids = RequestIds(self.clock, settings.request_ids)
        self.outbox = Outbox(self.clock, self.journal, self._is_connected)
        self.journal.on_write = self._tell
        self.scenario = settings.start_scenario
        # Collecting garbage again and again while a large company grows takes most of the time.
        gc.disable()
        self._load()
        if not self.companies:
            self.reset(self.scenario)
        gc.freeze()
        gc.enable()

    def _is_connected(self, client_id: str, realm: str) -> bool:
        return any((each.client_id, each.realm) == (client_id, realm) for each in self.grants.connections.values())

    def _tell(self, realm: str, rows: list[Row]) -> None:
        """Changes of an open company, before they show in its records; one that is being built tells nobody."""
        books = self.companies.get(realm)
        if books is not None:
            self.outbox.tell(realm, rows, books.records)

    def _load(self) -> None:
        # Companies keep the order in which they were opened: the first is the one that is meant by default.
        facts = sorted(self.journal.facts(), key=lambda fact: int(fact[2].get("position", 0)))
        for kind, key, body in facts:
            if kind == "clock":
                self.clock.load(body)
            elif kind == "signing":
                self.signing.load(str(body["pem"]))
            elif kind == "webhook":
                self.outbox.load(key, body)
            elif kind == "scenario":
                self.scenario = str(body["name"])
            elif kind == "company":
                self.companies[key] = Books(key, self.journal, self.clock)
        self.grants.load(facts)
        # Accounts and preferences come before the documents that are posted by them.
        rows = sorted(self.journal.rows(), key=lambda pair: (pair[1].entity != "Roles", pair[1].entity))
        for realm, row in rows:
            self.companies[realm].load(row)
        for realm, replay in self.journal.replays():
            self.companies[realm].replays[replay.request_id] = replay
        self.journal.forget_found()

    def reset(self, scenario: str, *, realm_id: str | None = None) -> list[Books]:
        """Forget all companies and grants and build a scenario; companies get new realm ids unless one is given."""

        if scenario not in SCENARIOS:
            raise UnknownScenarioError(scenario)
        for realm in list(self.companies):
            self.journal.forget_realm(realm)
            self.journal.keep_facts([("company", realm, None)])
        self.companies.clear()
        self.grants.clear()
        self.injections.clear()
        self.late.clear()
        self.clock.start_over()
        self.settings = self.grants.settings = self._settings_at_start
        self.throttle.limits = self.settings.limits
        self.throttle.clear()
        self.outbox.clear()
        self.request_ids.policy = self.settings.request_ids
        self.scenario = scenario
        self.journal.keep_facts([("clock", "offset", None), ("scenario", "current", {"name": scenario})])
        return [
            self.open_company(plan, realm_id=realm_id if position == 0 else None)
            for position, plan in enumerate(SCENARIOS[scenario]())
        ]

    def open_company(self, plan: CompanyPlan, *, realm_id: str | None = None) -> Books:
        """Build one more company."""

        realm = realm_id or f"9341453{secrets.randbelow(10**9):09d}"
        books = Books(realm, self.journal, self.clock)
        build(books, plan)
        self.journal.keep_facts([("company", realm, {"name": plan.name, "position": len(self.companies)})])
        self.companies[realm] = books
        return books

    def change_lifetimes(self, **seconds: Any) -> None:
        """Other lifetimes of tokens and codes, until the next reset."""
        self.settings = replace(self.settings, **seconds)
        self.grants.settings = self.settings

    def move_clock(self, *, jump_seconds: int = 0, speed: int | None = None) -> None:
        """Jump forward, run at another speed, or both; a restart keeps it."""
        if jump_seconds:
            self.clock.jump(timedelta(seconds=jump_seconds))
        if speed is not None:
            self.clock.run(speed)
        self.journal.keep_facts([("clock", "offset", self.clock.as_fact())])

    @property
    def pulse(self) -> str:
        """Another text whenever something has happened that a page may show."""
        return f"{self.recorder.count}.{self.journal.writes}.{self.outbox.moves}"

    def company_names(self) -> Mapping[str, str]:
        return {realm: str(books.info["CompanyName"]) for realm, books in self.companies.items()}

    def close(self) -> None:
        self.journal.close()
