"""TLS to the database: what an address asks for means the same to the lanes' driver as to Django's."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
import pytest
import uvloop
from django.db import connection, connections

from cone.accounting.database import Database, DatabaseAwayError, Pool
from cone.accounting.database import connect as connect_database
from cone.operations.actor import Actor
from cone.project.settings import database_from_url
from tests.builders import make_invoice
from tests.fakes.ledger import FakeLedger
from tests.integration.accounting.conftest import MakeWorker, configure, connect, is_settled, wait_until
from tests.integration.accounting.tls_door import Authority, Door, make_authority, tls_door

pytestmark = pytest.mark.django_db(transaction=True)

LOOPS = pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
NAME = "localhost"


@dataclass
class Site:
    """A server that shows a certificate for `localhost`, and two authorities, of which the first signed it."""

    door: Door
    right: Authority
    wrong: Authority

    def url(self, options: Mapping[str, str | Path], host: str = NAME) -> str:
        """Its address, as an operator writes it."""
        settings = connection.get_connection_params()
        query = urlencode({name: str(value) for name, value in options.items()}, quote_via=quote)
        password = f":{quote(settings['password'], safe='')}" if settings.get("password") else ""
        return f"postgresql://{settings['user']}{password}@{host}:{self.door.port}/{settings['dbname']}?{query}"


def context_of(authority: Authority, *, asks_for_certificates: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue(NAME))
    if asks_for_certificates:
        context.load_verify_locations(cafile=authority.root)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> tuple[Authority, Authority]:
    folder = tmp_path_factory.mktemp("authorities")
    return make_authority(folder, "right"), make_authority(folder, "wrong")


@pytest.fixture
def site(authorities: tuple[Authority, Authority], transactional_db: None) -> Iterator[Site]:
    with tls_door(context_of(authorities[0])) as door:
        yield Site(door, *authorities)


def reach(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Have everything that connects from now on use this address, as if DATABASE_URL had said so."""
    for name, value in database_from_url(url).items():
        monkeypatch.setitem(connection.settings_dict, name, value)


def run(loop: Callable[[], asyncio.AbstractEventLoop], work: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(work)


async def ask(database: Database) -> object:
    row = await (await database.execute("select 1 + %(one)s::bigint as found", {"one": 1})).fetchone()
    return row and row["found"]


async def ask_own() -> object:
    database = await connect_database()
    try:
        return await ask(database)
    finally:
        await database.close()


def is_let_in_by_both(monkeypatch: pytest.MonkeyPatch, url: str) -> bool:
    """Whether both drivers come in at this address; neither may where the other doesn't."""
    with monkeypatch.context() as patch:
        reach(patch, url)
        try:
            with psycopg.connect(**connection.get_connection_params()) as django:
                is_djangos = django.execute("select 1 + 1").fetchone() == (2,)
        except psycopg.OperationalError:
            is_djangos = False
        try:
            is_lanes = asyncio.run(ask_own()) == 2
        except DatabaseAwayError:
            is_lanes = False
    assert is_lanes == is_djangos
    return is_lanes


@LOOPS
@pytest.mark.parametrize("mode", ["require", "verify-full"])
def test_the_lanes_pool_comes_in_and_may_hang_up(
    site: Site, monkeypatch: pytest.MonkeyPatch, mode: str, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    root = {"sslrootcert": site.right.root} if mode == "verify-full" else {}
    reach(monkeypatch, site.url({"sslmode": mode, **root}))

    async def sleep(pool: Pool) -> None:
        async with pool.connection() as database:
            await database.execute("select pg_sleep(60)")

    async def use() -> list[object]:
        async with Pool(size=3) as pool:

            async def borrow() -> object:
                async with pool.connection() as database:
                    return await ask(database)

            asked = await asyncio.gather(*(borrow() for _ in range(9)))
            asleep = asyncio.create_task(sleep(pool))
            await asyncio.sleep(0.2)
            asleep.cancel()
            # The server is told of the statement that was cancelled, by a connection that needs TLS, too.
            done, _ = await asyncio.wait({asleep}, timeout=4)
            return [*asked, bool(done) and asleep.cancelled()]

    assert run(loop, use()) == [2] * 9 + [True]
    assert set(site.door.came) == {"TLSv1.3"}


_CASES = {
    "any certificate": ({"sslmode": "require"}, NAME, True),
    "preferred": ({"sslmode": "prefer"}, NAME, True),
    "by default": ({}, NAME, True),
    "not wanted": ({"sslmode": "disable"}, NAME, False),
    "right authority, its name": ({"sslmode": "verify-full", "sslrootcert": "right"}, NAME, True),
    "right authority, another name": ({"sslmode": "verify-full", "sslrootcert": "right"}, "127.0.0.1", False),
    "right authority, any name": ({"sslmode": "verify-ca", "sslrootcert": "right"}, "127.0.0.1", True),
    "wrong authority": ({"sslmode": "verify-full", "sslrootcert": "wrong"}, NAME, False),
    "wrong authority, any name": ({"sslmode": "verify-ca", "sslrootcert": "wrong"}, NAME, False),
    "wrong authority, only required": ({"sslmode": "require", "sslrootcert": "wrong"}, NAME, False),
    "an authority that isn't there": ({"sslmode": "verify-full", "sslrootcert": "missing"}, NAME, False),
    "the system's authorities": ({"sslmode": "verify-full", "sslrootcert": "system"}, NAME, False),
    "TLS no newer than the server's": ({"sslmode": "require", "ssl_max_protocol_version": "TLSv1.2"}, NAME, True),
}


@pytest.mark.parametrize("case", _CASES)
def test_an_address_means_the_same_to_both_drivers(site: Site, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    options, host, is_let_in = _CASES[case]
    roots = {"right": site.right.root, "wrong": site.wrong.root, "missing": site.right.root.with_name("no such.crt")}
    given: dict[str, str | Path] = {name: roots.get(value, value) for name, value in options.items()}

    assert is_let_in_by_both(monkeypatch, site.url(given, host)) == is_let_in
    if "ssl_max_protocol_version" in options:
        assert set(site.door.came) == {"TLSv1.2"}


@pytest.mark.parametrize("trusted", ["right", "wrong"])
def test_the_systems_authorities_decide(site: Site, monkeypatch: pytest.MonkeyPatch, trusted: str) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(site.right.root if trusted == "right" else site.wrong.root))
    url = site.url({"sslmode": "verify-full", "sslrootcert": "system"})
    assert is_let_in_by_both(monkeypatch, url) == (trusted == "right")


@pytest.mark.parametrize("root", ["its own", "the system's"])
@pytest.mark.parametrize("shown", ["right", "wrong", "none"])
def test_a_server_that_asks_for_a_certificate_is_shown_it(
    authorities: tuple[Authority, Authority], monkeypatch: pytest.MonkeyPatch, shown: str, root: str
) -> None:
    right, wrong = authorities
    monkeypatch.setenv("SSL_CERT_FILE", str(right.root))
    with tls_door(context_of(right, asks_for_certificates=True)) as door:
        options: dict[str, str | Path] = {
            "sslmode": "verify-full",
            "sslrootcert": right.root if root == "its own" else "system",
        }
        if shown != "none":
            certificate, key = (right if shown == "right" else wrong).issue("cone")
            options |= {"sslcert": certificate, "sslkey": key}
        assert is_let_in_by_both(monkeypatch, Site(door, right, wrong).url(options)) == (shown == "right")


@pytest.mark.parametrize("mode", ["require", "verify-full"])
def test_a_server_without_tls_is_refused(
    authorities: tuple[Authority, Authority], monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    with tls_door(None) as door:
        site = Site(door, *authorities)
        assert not is_let_in_by_both(monkeypatch, site.url({"sslmode": mode, "sslrootcert": site.right.root}))


@pytest.mark.parametrize(
    ("root", "says"),
    [("wrong", "certificate verify failed"), ("missing", "no such.crt"), ("rubbish", "rubbish.crt")],
)
def test_who_cant_trust_the_server_is_told_why(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, root: str, says: str
) -> None:
    rubbish = tmp_path / "rubbish.crt"
    rubbish.write_text("no certificate")
    roots = {"wrong": site.wrong.root, "missing": tmp_path / "no such.crt", "rubbish": rubbish}
    reach(monkeypatch, site.url({"sslmode": "verify-full", "sslrootcert": roots[root]}))

    with pytest.raises(DatabaseAwayError, match=says):
        asyncio.run(ask_own())


def test_a_worker_sends_over_tls(
    site: Site, owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Locks, listening, pool and Django's own connections alike."""
    reach(monkeypatch, site.url({"sslmode": "verify-full", "sslrootcert": site.right.root}))
    connections.close_all()
    worker = make_worker()
    connect(owner, ledger)
    configure(owner)
    make_invoice(owner, is_issued=True)
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))
    worker.stop()
    connections.close_all()
    assert len(site.door.came) > 4
