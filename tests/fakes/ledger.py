"""An accounting provider that lives in memory: a second provider for tests, with failures on order.

It keeps the port's promises (the contract suite runs over it) and knows nothing of the network. One `FakeLedger`
is one platform: its companies, grants and records outlive every client that is opened on it.
"""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Literal, TypeAlias
from urllib.parse import urlencode

import msgspec

from cone.accounting.facts import as_kind
from cone.accounting.port.company import CompanyFacts, EnvironmentName, Reference, TaxModel, TokenGrant
from cone.accounting.port.documents import (
    CustomerDocument,
    Delete,
    Document,
    Kind,
    Namesake,
    RemoteRecord,
    Step,
    Update,
    Void,
)
from cone.accounting.port.provider import (
    Access,
    AuthorizationRefusedError,
    AuthorizationReturn,
    Availability,
    BatchItem,
    RequestLimits,
    Sent,
    WireRequest,
)
from cone.accounting.port.sent import SentRecord
from cone.accounting.port.verdicts import (
    VERDICTS,
    Answered,
    CauseCode,
    ReconnectError,
    RejectedError,
    Verdict,
    VerdictError,
)
from cone.kit.values import replace

from .books import FakeCompany, FakeRecord, is_found_by
from .chart import (
    BANK,
    CLOSED_BANK,
    INCOME,
    REDUCED,
    RETIRED,
    SAVINGS,
    STANDARD,
    UNDEPOSITED,
    ZERO,
    usual_accounts,
    usual_facts,
    usual_tax_codes,
)
from .grants import DEFAULT_COMPANY, FakeGrants
from .memory import LateWrite, RequestMemory
from .sent import may_be, read_fields, read_sent

__all__ = [
    "BANK",
    "CLOSED_BANK",
    "DEFAULT_COMPANY",
    "INCOME",
    "REDUCED",
    "RETIRED",
    "SAVINGS",
    "STANDARD",
    "UNDEPOSITED",
    "ZERO",
    "FakeCompany",
    "FakeLedger",
    "FakeLedgerClient",
    "FakeRecord",
    "Sending",
]

Call: TypeAlias = Literal[
    "customer",
    "service",
    "invoice",
    "payment",
    "exchange_code",
    "refresh",
    "revoke",
    "read_company",
    "read_reference",
    "read",
    "find",
    "batch",
    "find_namesakes",
    "list_customers",
]
Hook: TypeAlias = Callable[["Sending"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Sending:
    """One write as it reached the platform, replays and failures included."""

    company_id: str
    kind: Kind
    request_id: str
    request: WireRequest


@dataclass
class _Failure:
    verdict: VerdictError
    commit: bool
    late_by: timedelta | None = None


class FakeLedger(FakeGrants):
    """The platform and the provider's pure side in one."""

    def __init__(
        self,
        *,
        key: str = "fake",
        name: str = "Fake Ledger",
        environment: EnvironmentName | None = "emulator",
        allows_invoice_deposit: bool = True,
        tax_model: TaxModel = "global",
    ) -> None:
        self.key = key
        self.name = name
        self.request_timeout = timedelta(seconds=5)
        self.looks_count_after = timedelta(seconds=130)
        self.limits = RequestLimits(per_minute=500, per_second=10, batches_per_minute=40)
        self.largest_batch = 30
        self.environment = environment
        self.companies: dict[str, FakeCompany] = {}
        self.sent: list[Sending] = []
        self.calls: list[Call] = []
        self.batches: list[tuple[str, ...]] = []
        self.before_send: Hook | None = None
        self.after_send: Hook | None = None
        self.after_look: Callable[[], Awaitable[None]] | None = None
        self.memory = RequestMemory()
        self.looks_are_blind_for: timedelta | None = timedelta()
        self.total_is_off_by = Decimal(0)
        self._failures: dict[Call, deque[_Failure | None]] = {}
        super().__init__(count(1))
        self.add_company(DEFAULT_COMPANY, allows_invoice_deposit=allows_invoice_deposit, tax_model=tax_model)

    # The pure side

    def availability(self) -> Availability:
        if self.environment is None:
            return Availability(None, f"{self.name} isn't configured in this test.")
        return Availability(self.environment)

    def authorize_url(self, *, state: str, redirect_uri: str) -> str:
        return f"https://{self.key}.invalid/authorize?" + urlencode({"state": state, "redirect_uri": redirect_uri})

    def read_return(self, query: Mapping[str, str]) -> AuthorizationReturn:
        if query.get("error"):
            raise AuthorizationRefusedError("denied")
        if not query.get("code") or not query.get("company"):
            raise AuthorizationRefusedError("invalid")
        return AuthorizationReturn(code=query["code"], company_id=query["company"])

    def open(self) -> AbstractAsyncContextManager["FakeLedgerClient"]:
        @asynccontextmanager
        async def opened() -> AsyncIterator[FakeLedgerClient]:
            yield FakeLedgerClient(self)

        return opened()

    def prepare(self, step: Step, facts: CompanyFacts) -> WireRequest:
        if isinstance(step, Void | Delete):
            verb = "void" if isinstance(step, Void) else "delete"
            return WireRequest(line=f"{verb} {step.kind} {step.remote_id} {step.remote_version}", body=b"{}")
        document = step.document
        if isinstance(document, CustomerDocument) and ":" in document.name:
            raise RejectedError(
                Answered(message="a name can't have a colon"), cause=CauseCode.NAME_INVALID, field_name="name"
            )
        line = f"create {document.kind}"
        if isinstance(step, Update):
            line = f"update {document.kind} {step.remote_id} {step.remote_version}"
        return WireRequest(line=line, body=msgspec.json.encode(document))

    def prepare_batch(self, items: Sequence[BatchItem]) -> WireRequest:
        return WireRequest(line="batch", body=msgspec.json.encode(items))

    def read_sent(self, kind: Kind, request: WireRequest) -> SentRecord:
        return read_sent(kind, request)

    def read_fields(self, request: WireRequest) -> Mapping[str, str]:
        return read_fields(request)

    def record_url(self, *, environment: str, company_id: str, kind: Kind, remote_id: str) -> str:
        return f"https://{environment}.{self.key}.invalid/{company_id}/{kind}/{remote_id}"

    def accounts_url(self, *, environment: str, company_id: str) -> str:
        return f"https://{environment}.{self.key}.invalid/{company_id}/accounts"

    # What a test orders and looks at

    def add_company(
        self,
        company_id: str,
        *,
        country: str = "GB",
        currency: str = "GBP",
        allows_invoice_deposit: bool = True,
        tax_model: TaxModel = "global",
    ) -> FakeCompany:
        """Open another company's books."""
        company = FakeCompany(
            facts=replace(
                usual_facts(company_id, country=country, currency=currency),
                tax_model=tax_model,
                allows_invoice_deposit=allows_invoice_deposit,
            ),
            accounts=usual_accounts(currency),
            tax_codes=usual_tax_codes(),
            numbers=self.numbers,
        )
        self.companies[company_id] = company
        return company

    def fail_next(
        self,
        call: Call,
        verdict: VerdictError,
        *,
        commit: bool = False,
        times: int = 1,
        late_by: timedelta | None = None,
        after: int = 0,
    ) -> None:
        """Raise `verdict` at the next such call(s); a kind means sending one. `commit`: after having done the work.

        `late_by`: having it done so much later. `after`: so many calls succeed first.
        """
        failures = self._failures.setdefault(call, deque())
        failures.extend([None] * after)
        failures.extend([_Failure(verdict, commit, late_by)] * times)

    def stop_failing(self) -> None:
        """Forget the failures that were ordered and didn't happen yet."""
        self._failures.clear()

    def age(self, by: timedelta) -> None:
        """Let so much time pass there: everything is older by it, and what was to be done late by then is done."""
        for company in self.companies.values():
            for record in company.records.values():
                record.created_at -= by
        self.memory.age(by)
        self._catch_up()

    def _catch_up(self) -> None:
        for late in self.memory.take_due():
            with suppress(*VERDICTS):
                self.execute(late.company_id, late.request, late.request_id, at=late.due_at)

    def records(self, kind: Kind, company_id: str = DEFAULT_COMPANY) -> list[FakeRecord]:
        """The records of a kind, oldest first."""
        return [record for (its, _), record in self.companies[company_id].records.items() if its == kind]

    def count_sends(self, kind: Kind) -> int:
        """How many writes of a kind reached the platform, whatever became of them."""
        return sum(sending.kind == kind for sending in self.sent)

    def void_there(self, kind: Kind, remote_id: str, company_id: str = DEFAULT_COMPANY) -> None:
        """Void a record as its bookkeeper would."""
        record = self.get(company_id, kind, remote_id)
        record.standing = "void"
        record.version += 1

    def edit_there(self, kind: Kind, remote_id: str, company_id: str = DEFAULT_COMPANY) -> None:
        """Change a record as its bookkeeper would: our version of it becomes old."""
        self.companies[company_id].records[kind, remote_id].version += 1

    def add_namesake(
        self, name: str, entity: Literal["vendor", "employee"] = "vendor", company_id: str = DEFAULT_COMPANY
    ) -> None:
        """Let a vendor or an employee have a name."""
        self.companies[company_id].others.append(Namesake(entity, str(next(self.numbers)), "0", name))

    def remove_there(self, kind: Kind, remote_id: str, company_id: str = DEFAULT_COMPANY) -> None:
        """Delete a record there."""
        del self.companies[company_id].records[kind, remote_id]

    def close_books(self, through: date, company_id: str = DEFAULT_COMPANY) -> None:
        """Refuse invoices up to a date."""
        company = self.companies[company_id]
        company.facts = replace(company.facts, books_closed_through_date=through)

    # What the client does with it

    def enter(self, call: Call) -> _Failure | None:
        """Note a call; raise its ordered failure, or give it back when the work is to be done first."""
        self.calls.append(call)
        self._catch_up()
        failures = self._failures.get(call)
        if not failures:
            return None
        failure = failures.popleft()
        if failure is None or failure.commit or failure.late_by is not None:
            return failure
        raise failure.verdict

    def write(self, company_id: str, request: WireRequest, *, at: datetime | None = None) -> RemoteRecord:
        """Do what a write says. Raises verdicts."""
        company = self.companies[company_id]
        company.total_is_off_by = self.total_is_off_by
        written = company.write(request)
        is_create = request.line.startswith("create")
        if (
            at is not None
            and is_create
            and (record := company.records.get((written.kind, written.remote_id))) is not None
        ):
            record.created_at = at
        return written

    def execute(self, company_id: str, request: WireRequest, request_id: str, *, at: datetime | None = None) -> Sent:
        """Do a write, or answer as before where its id is known. Raises verdicts."""
        now = at or datetime.now(UTC)
        answers = self.companies[company_id].answers
        if request_id in answers and self.memory.knows(request_id, now):
            return answers[request_id]
        record = self.write(company_id, request, at=at)
        answers[request_id] = Sent(record=record, answered=Answered(http_status=200, tid=f"fake-{len(self.sent)}"))
        self.memory.note(request_id, now)
        return answers[request_id]

    def list_candidates(self, company_id: str, sent: SentRecord, *, sent_at: datetime) -> tuple[RemoteRecord, ...]:
        """What a look-up of that key sees."""
        company = self.companies[company_id]
        found = [company.show(record) for record in self.list_seen(sent.kind, company_id)]
        return tuple(record for record in found if record.is_active and may_be(sent, record, sent_at=sent_at))

    def list_seen(self, kind: Kind, company_id: str) -> list[FakeRecord]:
        """What a look-up sees: not yet what is younger than it's blind for; None: nothing ever."""
        if self.looks_are_blind_for is None:
            return []
        seen_until = datetime.now(UTC) - self.looks_are_blind_for
        return [record for record in self.records(kind, company_id) if record.created_at <= seen_until]

    def get(self, company_id: str, kind: Kind, remote_id: str) -> FakeRecord:
        """The record of that id. Raises GoneError."""
        return self.companies[company_id].get(kind, remote_id)


class FakeLedgerClient:
    """The network side, without a network."""

    def __init__(self, ledger: FakeLedger) -> None:
        self._ledger = ledger

    async def exchange_code(self, *, code: str, redirect_uri: str) -> TokenGrant:
        self._ledger.enter("exchange_code")
        return self._ledger.trade_code(code)

    async def refresh(self, refresh_token: str) -> TokenGrant:
        failure = self._ledger.enter("refresh")
        grant = self._ledger.trade_refresh(refresh_token)
        if failure is not None:
            raise failure.verdict
        return grant

    async def revoke(self, token: str) -> None:
        failure = self._ledger.enter("revoke")
        self._ledger.revoke(token)
        if failure is not None:
            raise failure.verdict

    async def read_company(self, access: Access) -> CompanyFacts:
        await self._authorize(access)
        self._ledger.enter("read_company")
        return self._ledger.companies[access.company_id].facts

    async def read_reference(self, access: Access, facts: CompanyFacts) -> Reference:
        await self._authorize(access)
        self._ledger.enter("read_reference")
        return self._ledger.companies[access.company_id].reference()

    async def read_books(self, access: Access, *, item_names: Sequence[str]) -> tuple[CompanyFacts, Reference]:
        facts = await self.read_company(access)
        missing = self._ledger.companies[access.company_id].list_missing(item_names)
        return facts, replace(await self.read_reference(access, facts), missing_items=missing)

    async def send(self, access: Access, request: WireRequest, *, request_id: str, kind: Kind) -> Sent:
        await self._authorize(access)
        return await self._write(access, request, request_id, kind)

    async def _write(self, access: Access, request: WireRequest, request_id: str, kind: Kind) -> Sent:
        ledger = self._ledger
        sending = Sending(company_id=access.company_id, kind=kind, request_id=request_id, request=request)
        if ledger.before_send is not None:
            await ledger.before_send(sending)
        ledger.sent.append(sending)
        failure = ledger.enter(kind)
        if failure is not None and failure.late_by is not None:
            ledger.memory.do_later(
                LateWrite(datetime.now(UTC) + failure.late_by, access.company_id, request, request_id)
            )
            raise failure.verdict
        sent = ledger.execute(access.company_id, request, request_id)
        if ledger.after_send is not None:
            await ledger.after_send(sending)
        if failure is not None:
            raise failure.verdict
        return sent

    async def send_batch(
        self, access: Access, request: WireRequest, *, request_id: str, kinds: Mapping[str, Kind]
    ) -> Mapping[str, Sent | Verdict]:
        await self._authorize(access)
        ledger = self._ledger
        items = msgspec.json.decode(request.body, type=tuple[BatchItem, ...])
        ledger.batches.append(tuple(f"{request_id} {item.key}" for item in items))
        failure = ledger.enter("batch")
        if failure is not None and failure.late_by is not None:
            due_at = datetime.now(UTC) + failure.late_by
            for item in items:
                ledger.memory.do_later(LateWrite(due_at, access.company_id, item.request, f"{request_id} {item.key}"))
            raise failure.verdict
        outcomes: dict[str, Sent | Verdict] = {}
        for item in items:
            kind = item.request.line.split()[1]
            try:
                sent = await self._write(access, item.request, f"{request_id} {item.key}", as_kind(kind))
            except VERDICTS as verdict:
                outcomes[item.key] = verdict
            else:
                outcomes[item.key] = sent
        if failure is not None:
            raise failure.verdict
        return {key: outcome for key, outcome in outcomes.items() if key in kinds}

    async def read(self, access: Access, kind: Kind, remote_id: str) -> RemoteRecord:
        await self._authorize(access)
        self._ledger.enter("read")
        company = self._ledger.companies[access.company_id]
        return company.show(company.get(kind, remote_id))

    async def find(self, access: Access, document: Document) -> RemoteRecord | None:
        await self._look(access)
        for record in self._ledger.list_seen(document.kind, access.company_id):
            if record.is_active and is_found_by(document, record.document):
                return self._ledger.companies[access.company_id].show(record)
        return None

    async def list_candidates(self, access: Access, sent: SentRecord, *, sent_at: datetime) -> tuple[RemoteRecord, ...]:
        await self._look(access)
        return self._ledger.list_candidates(access.company_id, sent, sent_at=sent_at)

    async def list_candidates_together(
        self, access: Access, sent: Sequence[SentRecord], *, sent_at: datetime
    ) -> tuple[tuple[RemoteRecord, ...], ...]:
        await self._look(access)
        return tuple(self._ledger.list_candidates(access.company_id, one, sent_at=sent_at) for one in sent)

    async def _look(self, access: Access) -> None:
        """Note a look; what is answered to it, a failure too, arrives once the hook lets it."""
        await self._authorize(access)
        try:
            self._ledger.enter("find")
        finally:
            if self._ledger.after_look is not None:
                await self._ledger.after_look()

    async def find_namesakes(
        self, access: Access, entity: Literal["customer", "vendor", "employee"], names: Sequence[str]
    ) -> tuple[Namesake, ...]:
        await self._authorize(access)
        self._ledger.enter("find_namesakes")
        return self._ledger.companies[access.company_id].find_namesakes(entity, names)

    async def list_customers(self, access: Access, typed: str, *, most: int) -> tuple[Namesake, ...]:
        await self._authorize(access)
        self._ledger.enter("list_customers")
        return self._ledger.companies[access.company_id].list_customers(typed, most=most)

    async def _authorize(self, access: Access) -> None:
        token = await access.token()
        await access.turn()
        if self._ledger.company_of(token) == access.company_id:
            return
        if self._ledger.company_of(await access.renew(rejected=token)) != access.company_id:
            raise ReconnectError(Answered(http_status=401, message="the token is dead"))
