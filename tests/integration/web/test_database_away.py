"""While the database is away: an honest 503 that loses nothing and asks again, and not for faults of ours."""

import logging
import re
from collections.abc import Callable, Iterator
from html import unescape

import psycopg
import pytest
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.test import Client
from django.urls import reverse
from psycopg import errors as driver

from cone.accounting.database import DatabaseAwayError
from cone.books.models import Customer
from cone.project.faults import is_database_away
from tests.builders import Cast
from tests.integration.accounting.database import conninfo
from tests.integration.web.conftest import ClientOf

pytestmark = pytest.mark.django_db(transaction=True)

HEADING = "The database can't be reached just now"
REFRESH = '<meta http-equiv="refresh" content="5">'


@pytest.fixture
def browser(cast: Cast, client_of: ClientOf) -> Client:
    """The owner's browser, which gets the page that a person would."""
    client = client_of(cast.owner)
    client.raise_request_exception = False
    return client


def hang_up() -> None:
    """End the server's process behind Django's connection, as a restart does."""
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    with psycopg.connect(conninfo(), autocommit=True) as other:
        other.execute("select pg_terminate_backend(%s, 5000)", [pid])


@pytest.fixture
def unreachable(browser: Client) -> Iterator[Client]:
    """The same browser, while nobody listens where the database was."""
    settings = connection.settings_dict
    place = {name: settings[name] for name in ("HOST", "PORT")}
    connection.close()
    settings.update(HOST="127.0.0.1", PORT="1")
    yield browser
    settings.update(place)
    connection.close()


def test_page_says_so_and_asks_again_until_the_database_is_there(browser: Client) -> None:
    hang_up()
    away = browser.get(reverse("invoices"))

    assert (away.status_code, away.headers["Retry-After"]) == (503, "5")
    assert away.headers["Cache-Control"] == "private, no-store"
    assert HEADING in unescape(away.text)
    assert REFRESH in away.text
    close_old_connections()  # as the end of each request does
    assert browser.get(reverse("invoices")).status_code == 200


@pytest.mark.parametrize("page", ["invoices", "dashboard", "integrations", "account_login", "run_start"])
def test_page_asks_again_while_nobody_listens(unreachable: Client, page: str) -> None:
    away = unreachable.get(reverse(page))

    assert away.status_code == 503
    assert REFRESH in away.text
    assert unreachable.head(reverse(page)).status_code == 503


def test_form_stays_with_all_that_was_typed_and_is_sent_again_once(browser: Client) -> None:
    shown = browser.get(reverse("customer_new")).text
    once = re.search('name="once" value="([^"]+)"', shown)
    assert once
    typed = {"name": 'Anna "A" <b> & Co', "email": "a@b.example", "currency": "GBP", "once": once[1]}
    hang_up()

    away = browser.post(reverse("customer_new"), typed)

    assert away.status_code == 503
    # A browser that asked again by itself would send it again, or lose it.
    assert "http-equiv" not in away.text
    assert "most likely wasn't saved" in unescape(away.text)
    kept = dict(re.findall('<input type="hidden" name="([^"]+)" value="([^"]*)">', away.text))
    assert {name: unescape(value) for name, value in kept.items()} == typed
    assert f'action="{reverse("customer_new")}"' in away.text
    close_old_connections()
    assert not Customer.objects.exists()
    for _ in range(2):
        assert browser.post(reverse("customer_new"), typed).status_code == 302
    assert Customer.objects.get().name == typed["name"]


def test_password_is_written_on_no_page(unreachable: Client) -> None:
    typed = {"oldpassword": "an old secret", "password1": "a new secret", "password2": "a new secret"}
    away = unreachable.post(reverse("account_change_password"), typed)

    assert away.status_code == 503
    assert "secret" not in away.text
    assert "Go back and try again" in away.text


def test_part_that_refreshes_itself_gets_no_page(unreachable: Client) -> None:
    away = unreachable.get(reverse("integrations_flow"), headers={"HX-Request": "true"})

    assert (away.status_code, away.headers["Retry-After"], away.headers["Content-Type"]) == (503, "5", "text/plain")
    assert "<html" not in away.text


def test_machine_gets_a_problem_document(unreachable: Client) -> None:
    away = unreachable.get("/api/invoices")

    assert (away.status_code, away.headers["Retry-After"]) == (503, "5")
    assert away.headers["Content-Type"] == "application/problem+json"
    document = away.json()
    assert (document["status"], document["code"]) == (503, "database_away")


def test_log_tells_it_in_one_line(unreachable: Client, caplog: pytest.LogCaptureFixture) -> None:
    unreachable.get(reverse("invoices"))

    [record] = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert record.getMessage().startswith("Service Unavailable: /invoices: the database is away: ")
    assert record.exc_info is None
    assert "\n" not in record.getMessage()


@pytest.mark.parametrize("who", ["signed in", "a monitor"])
def test_log_tells_an_outage_once_however_often_health_is_asked(
    browser: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    asking = browser if who == "signed in" else Client()
    caplog.set_level(logging.INFO)
    assert asking.get("/healthz").status_code == 200
    caplog.clear()
    for _ in range(2):
        with monkeypatch.context() as away:
            connection.close()
            away.setitem(connection.settings_dict, "HOST", "127.0.0.1")
            away.setitem(connection.settings_dict, "PORT", "1")
            assert [asking.get("/healthz").status_code for _ in range(3)] == [503] * 3
        connection.close()
        assert [asking.get("/healthz").status_code for _ in range(3)] == [200] * 3

    told = [(each.levelname, each.getMessage()) for each in caplog.records if "healthz" in each.getMessage()]
    begun = "the database is away, and /healthz answers 503 until it's back: connection failed: "
    assert [(level, message.startswith(begun)) for level, message in told[::2]] == [("ERROR", True)] * 2
    assert told[1::2] == [("INFO", "the database is back, and /healthz answers 200 again")] * 2
    assert not any(each.exc_info for each in caplog.records)


def test_log_tells_of_an_address_with_a_percent_sign(unreachable: Client, caplog: pytest.LogCaptureFixture) -> None:
    unreachable.get("/invoices/100%25d")

    [record] = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert record.getMessage().startswith("Service Unavailable: /invoices/100%d: the database is away: ")


def of_driver(error: psycopg.Error) -> OperationalError:
    """As Django raises it."""
    wrapped = OperationalError(str(error))
    wrapped.__cause__ = error
    return wrapped


@pytest.mark.parametrize(
    ("error", "is_away"),
    [
        (of_driver(driver.AdminShutdown()), True),
        (of_driver(driver.CannotConnectNow()), True),
        (of_driver(driver.TooManyConnections()), True),
        (of_driver(driver.ConnectionFailure()), True),
        (DatabaseAwayError("connection lost"), True),
        (of_driver(driver.LockNotAvailable()), False),
        (of_driver(driver.QueryCanceled()), False),
        (of_driver(driver.DiskFull()), False),
        # On a line that stands, the driver speaks of how we used it.
        (InterfaceError("the cursor is closed"), False),
        (of_driver(psycopg.OperationalError("sending failed")), False),
        (ValueError("connection refused"), False),
        (None, False),
    ],
)
def test_fault_of_ours_is_no_database_that_is_away(error: BaseException | None, is_away: bool) -> None:
    connection.ensure_connection()
    assert is_database_away(error) is is_away


def test_statement_that_was_cut_off_stays_a_fault(browser: Client, caplog: pytest.LogCaptureFixture) -> None:
    def wait_too_long(execute: Callable[..., object], _: str, __: object, many: bool, context: object) -> object:
        # What the page asks for itself may be answered within any limit.
        return execute("select pg_sleep(10)", (), many, context)

    with connection.cursor() as cursor:
        cursor.execute("set statement_timeout = 1")
        try:
            with connection.execute_wrapper(wait_too_long):
                broken = browser.get(reverse("invoices"))
        finally:
            connection.close()

    assert broken.status_code == 500
    assert any(record.exc_info for record in caplog.records)
