"""The whole product, started as a user starts it, and a real browser in front of it.

Without chromium the suite is skipped with one loud line; under CI its absence is a failure.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from cone.cli.parentage import die_with_parent
from tests.e2e.pages import Desk, Product

# The shell is chromium without its own windows and menus: the same pages for a third less time.
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
_CHROMIUM = next((path for name in _NAMES if (path := shutil.which(name))), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say it loudly when there's no browser."""
    if _CHROMIUM or os.environ.get("CI", "").lower() == "true":
        return
    loud = pytest.mark.skip(reason="NO BROWSER: install chromium, the journeys of the product were NOT tested")
    for item in items:
        if "tests/e2e" in item.path.as_posix():
            item.add_marker(loud)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(process: "subprocess.Popen[bytes]", product: Product, log: Path) -> None:
    until = time.monotonic() + 90
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            if httpx.get(f"{product.url}/healthz").status_code == 200 and "Cone is ready" in log.read_text():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail(f"the product didn't start:\n{log.read_text()}")


@contextmanager
def start_product(folder: Path, *options: str, **variables: str) -> Iterator[Product]:
    """`cone up` on free ports with an embedded Postgres, a worker and (by default) the emulator."""
    # Postgres runs as another user when we're root, and must be able to pass through the folders above its data.
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)
    port, emulator_port = _free_port(), _free_port()
    log = folder / "up.log"
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CONE_", "QUICKBOOKS_", "DATABASE_URL", "DJANGO_"))
    }
    command = [sys.executable, "-m", "cone.cli.main", "up", "--data-dir", str(folder / "data"), *options]
    command += ["--port", str(port), "--emulator-port", str(emulator_port)]
    with log.open("wb") as file:
        process = subprocess.Popen(
            command,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment | variables,
            # A test that hangs ends this process without tearing anything down.
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 -- calls nothing but the kernel
        )
    started = Product(
        url=f"http://127.0.0.1:{port}", emulator_url=f"http://127.0.0.1:{emulator_port}", data_dir=folder / "data"
    )
    try:
        _wait_until_ready(process, started, log)
        yield started
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The product as a new user starts it, but for the time after which a lost answer is looked for."""
    with start_product(tmp_path_factory.mktemp("product"), QUICKBOOKS_REQUEST_TIMEOUT_SECONDS="4") as started:
        yield started


@pytest.fixture
def product_without_keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A production deployment whose operator hasn't configured Intuit's keys yet."""
    folder = tmp_path_factory.mktemp("keyless")
    with start_product(folder, "--no-emulator", "--no-demo", QUICKBOOKS_ENVIRONMENT="production") as started:
        yield started


@pytest.fixture
def browser() -> Iterator[Browser]:
    """Chromium, started anew: its event loop must not outlive the test in this process."""
    if _CHROMIUM is None:
        pytest.fail("chromium isn't installed, and under CI the journeys must be tested")
    # As root chromium starts only without its sandbox.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=_CHROMIUM, args=arguments)
        processes = started.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
        (process_id,) = [process["id"] for process in processes if process["type"] == "browser"]
        yield started
        # Nothing is left to be asked of it, and one that hangs wouldn't answer.
        os.kill(process_id, signal.SIGKILL)


def _watched(page: Page, seen: list[str]) -> Page:
    page.set_default_timeout(8_000)
    page.on("pageerror", lambda error: seen.append(f"script error: {error}"))
    page.on("response", lambda answer: seen.append(f"{answer.status} {answer.url}") if answer.status >= 500 else None)
    page.on("console", lambda said: seen.append(said.text) if "Content Security Policy" in said.text else None)
    return page


@pytest.fixture
def desk(product: Product, browser: Browser) -> Iterator[Desk]:
    """A person at a browser, before signing in, with fresh QuickBooks companies; script and server errors fail."""
    product.reset_emulator()
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    seen: list[str] = []
    page = _watched(context.new_page(), seen)
    yield Desk(page=page, product=product)
    if folder := os.environ.get("CONE_E2E_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / "last.png", full_page=True)
    page.wait_for_timeout(50)  # what the browser has said by now is heard
    assert seen == []


@pytest.fixture
def owner(desk: Desk) -> Desk:
    """The owner of a new UK firm, signed in."""
    desk.sign_up()
    desk.create_firm()
    return desk
