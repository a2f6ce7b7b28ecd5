"""People, faults, crashes and time in any order: in the end everything stands there once, or says why it doesn't.

Half a minute of it by default; `CONE_STEPS=2000` in the environment makes it long.
"""

import logging
import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Literal, TypeAlias

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from cone.accounting import lane
from cone.accounting.port.documents import Kind
from cone.accounting.port.verdicts import (
    Answered,
    OutcomeUnknownError,
    ReconnectError,
    RejectedError,
    StaleError,
    TryLaterError,
    VerdictError,
)
from cone.accounting.ready import BATCH_FROM
from tests.fakes.ledger import Call
from tests.integration.accounting.driving import Moment
from tests.integration.accounting.firm import Firm

pytestmark = pytest.mark.django_db(transaction=True)

_LONG = int(os.environ.get("CONE_STEPS", "0"))

PICK = st.integers(min_value=0, max_value=7)
FEW = st.integers(min_value=1, max_value=9)
PRICES = st.sampled_from(["100.00", "33.33", "7.77", "250.00"])
AMOUNTS = st.sampled_from(["1.00", "5.55", "20.00"])
NAMES = st.sampled_from(["Alder Ltd", "Birch & Co", "Cedar plc"])
EMAILS = st.sampled_from(["", "books@example.com"])
KINDS = st.sampled_from(["customer", "invoice", "payment"])
CALLS = st.sampled_from(["customer", "service", "invoice", "payment", "batch", "find", "read", "find_namesakes"])
MOMENTS = st.sampled_from(["before it's done there", "done there, no answer", "answered, not written down"])
SECONDS = st.sampled_from([1, 20, 35, 140, 300, 4000])
# Done there and not answered, never done, or done so many seconds after it was given up.
How: TypeAlias = Literal["done", "never"] | int
HOWS: st.SearchStrategy[How] = st.sampled_from(["done", "done", "never", 1, 60, 100])
# Lines of which one works, whenever the late requests are done.
LINES = {
    "all works": (None, 0),
    "looks are blind for two minutes": (None, 120),
    "looks are blind": (None, None),
    "ids are forgotten": (60, 0),
    "ids are ignored": (0, 0),
}
# Where one line is out of order, the other shows whether it is asked.
WEIGHED_LINES = st.sampled_from(["ids are ignored", "looks are blind", *LINES, "ids are ignored"])
FAULTS: dict[str, VerdictError] = {
    "lost": OutcomeUnknownError(Answered(message="no answer")),
    "not now": TryLaterError(Answered(http_status=429)),
    "not this one now": TryLaterError(Answered(http_status=503), scope="record"),
    "stale": StaleError(Answered(http_status=400, code="5010")),
    "no": RejectedError(Answered(http_status=400, code="6000", message="no")),
    "no more reads": TryLaterError(Answered(http_status=429), allowance="reads"),
    "nothing more this month": TryLaterError(Answered(http_status=429), allowance="everything"),
    "signed out": ReconnectError(Answered(http_status=401)),
}
_READS = ("find", "read", "find_namesakes")


class Books(RuleBasedStateMachine):
    """One firm and its accounting software."""

    def __init__(self) -> None:
        super().__init__()
        self.firm = Firm()

    def teardown(self) -> None:
        try:
            self.firm.come_to_rest()
            assert self.firm.list_wrongs() == []
        finally:
            self.firm.close()

    @initialize(lines=WEIGHED_LINES, may_repeat=st.booleans(), pace=st.sampled_from(["fast", "batches"]))
    def begin(self, lines: str, may_repeat: bool, pace: str) -> None:
        kept_for, blind_for = LINES[lines]
        ledger = self.firm.ledger
        ledger.memory.kept_for = None if kept_for is None else timedelta(seconds=kept_for)
        ledger.looks_are_blind_for = None if blind_for is None else timedelta(seconds=blind_for)
        ledger.companies["fake-company"].may_numbers_repeat = may_repeat
        self.firm.set_terms({"backlog_pace": pace})

    # What people do

    @rule(name=NAMES, email=EMAILS)
    def add_customer(self, name: str, email: str) -> None:
        self.firm.add_customer(name, email)

    @rule(pick=PICK, name=NAMES)
    def rename_customer(self, pick: int, name: str) -> None:
        self.firm.rename_customer(pick, name)

    @rule(pick=PICK, price=PRICES, number=FEW)
    def issue(self, pick: int, price: str, number: int) -> None:
        self.firm.issue(pick, price, number=number)

    @rule(pick=PICK, price=PRICES)
    def edit_invoice(self, pick: int, price: str) -> None:
        self.firm.edit_invoice(pick, price)

    @rule(pick=PICK)
    def void_invoice(self, pick: int) -> None:
        self.firm.void_invoice(pick)

    @rule(pick=PICK, amount=AMOUNTS, number=FEW)
    def pay(self, pick: int, amount: str, number: int) -> None:
        for one in range(number):
            self.firm.pay(pick + one, amount)

    @rule(pick=PICK, amount=AMOUNTS)
    def edit_payment(self, pick: int, amount: str) -> None:
        self.firm.edit_payment(pick, amount)

    @rule(pick=PICK)
    def void_payment(self, pick: int) -> None:
        self.firm.void_payment(pick)

    @rule(is_paused=st.booleans())
    def pause_or_resume(self, is_paused: bool) -> None:
        self.firm.set_paused(is_paused=is_paused)

    @rule(is_away=st.booleans())
    def leave_or_come_back(self, is_away: bool) -> None:
        if is_away:
            self.firm.leave()
        self.firm.come_back()

    @rule(policy=st.sampled_from(["leave", "void", "delete"]), names=st.sampled_from(["suffix", "ask"]))
    def set_policies(self, policy: str, names: str) -> None:
        self.firm.set_policy(policy)
        self.firm.set_terms({"name_policy": names})

    @rule(kind=KINDS, pick=PICK)
    def sync_now(self, kind: Kind, pick: int) -> None:
        self.firm.sync_now(kind, pick)

    @rule()
    def sync_all(self) -> None:
        self.firm.sync_all()

    @rule()
    def answer_what_is_uncertain(self) -> None:
        self.firm.answer_what_is_uncertain()

    # What goes wrong

    @rule(call=CALLS, fault=st.sampled_from(sorted(FAULTS)), times=st.integers(1, 2), is_done=st.booleans())
    def fail(self, call: Call, fault: str, times: int, is_done: bool) -> None:
        is_lost = fault == "lost"
        if call not in _READS or not is_lost:
            self.firm.ledger.fail_next(call, FAULTS[fault], commit=is_done and is_lost, times=times)

    @rule(pick=PICK, price=PRICES, number=st.sampled_from([1, 2, 8]), how=HOWS)
    def lose_invoices(self, pick: int, price: str, number: int, how: How) -> None:
        """So many are issued, and the answer to the first of them, or to all in one batch, is lost."""
        self._lose("invoice", number, how)
        self.firm.issue(pick, price, number=number)
        self.firm.driver.work()

    @rule(pick=PICK, number=st.sampled_from([1, 2, 8]), how=HOWS)
    def lose_payments(self, pick: int, number: int, how: How) -> None:
        self._lose("payment", number, how)
        for _ in range(number):
            self.firm.pay(pick, "1.00")
        self.firm.driver.work()

    @rule(name=NAMES, how=HOWS)
    def lose_customer(self, name: str, how: How) -> None:
        self._lose("customer", 1, how)
        self.firm.add_customer(name, "")
        self.firm.driver.work()

    def _lose(self, call: Call, number: int, how: How) -> None:
        late_by = timedelta(seconds=how) if isinstance(how, int) else None
        self.firm.ledger.fail_next(
            "batch" if number >= BATCH_FROM else call, FAULTS["lost"], commit=how == "done", late_by=late_by
        )

    @rule(moment=MOMENTS, after=FEW)
    def crash(self, moment: Moment, after: int) -> None:
        self.firm.driver.crash(moment, after=after)

    @rule(after=FEW)
    def lose_lane(self, after: int) -> None:
        self.firm.driver.lose_lane(after=after)

    @rule(kind=KINDS, pick=PICK)
    def edit_there(self, kind: Kind, pick: int) -> None:
        self.firm.touch_there(kind, pick, self.firm.ledger.edit_there)

    @rule(kind=st.sampled_from(["invoice", "payment"]), pick=PICK, by=st.sampled_from(["void", "delete"]))
    def take_back_there(self, kind: Kind, pick: int, by: Literal["void", "delete"]) -> None:
        self.firm.take_back_there(kind, pick, by=by)

    # And time

    @rule()
    def work(self) -> None:
        self.firm.driver.work()

    @rule(seconds=SECONDS)
    def pass_time(self, seconds: int) -> None:
        self.firm.driver.pass_time(timedelta(seconds=seconds))
        self.firm.driver.work()


class _Bugs(logging.Handler):
    """What the engine's edges caught."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(self.format(record))


@pytest.fixture
def bugs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What is logged as an error meanwhile."""
    monkeypatch.setattr(lane, "_LINGER", timedelta())
    handler = _Bugs()
    logging.getLogger("cone.accounting").addHandler(handler)
    yield handler.found
    logging.getLogger("cone.accounting").removeHandler(handler)


def test_everything_stands_there_once_or_says_why_it_does_not(bugs: list[str]) -> None:
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=_LONG // 25 or 10,
            stateful_step_count=25,
            derandomize=not _LONG,
            deadline=None,
            database=None,
            # Making a failing example smaller takes longer than reading it.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert bugs == []
