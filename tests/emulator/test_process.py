"""The process: starting, ports, state that survives, and leaving."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from tests.emulator.running import Json, Running, exact, open_client, start, stop


def _gone(number: int, *, seconds: int) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        status = Path(f"/proc/{number}/stat")
        if not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_state_survives_a_kill(tmp_path: Path) -> None:
    process, base = start("--data-dir", str(tmp_path))
    with open_client(base) as http:
        emulator = Running(base, http)
        company = emulator.company(emulator.control("GET", "health")["companies"][0]["realm_id"])
        customer = company.create("Customer", {"DisplayName": "Survivor"}, requestid="k-1")
        line = {
            "Amount": 10,
            "DetailType": "SalesItemLineDetail",
            "SalesItemLineDetail": {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": company.code("20.0% S")}},
        }
        body = {"CustomerRef": {"value": customer["Id"]}, "GlobalTaxCalculation": "TaxExcluded", "Line": [line]}
        invoice = company.create("Invoice", body)
        gone = company.create("Invoice", body)
        company.create("Invoice", {"Id": gone["Id"], "SyncToken": "0"}, operation="delete")
        before = emulator.control("GET", "dump")
    process.kill()
    process.communicate(timeout=10)

    process, base = start("--data-dir", str(tmp_path))
    with open_client(base) as http:
        company.running = Running(base, http)
        assert company.running.control("GET", "dump") == before
        assert company.read("Invoice", invoice["Id"]) == invoice
        replayed = company.call("POST", "customer", {"DisplayName": "Survivor"}, requestid="k-1")
        assert exact(replayed)["Customer"] == customer
        assert int(company.create("Invoice", body)["Id"]) == int(gone["Id"]) + 1
        assert company.read("Customer", customer["Id"])["Balance"] == 24
    assert stop(process) == 0


def test_clock_that_begins_in_the_past_makes_old_records_and_jumps_to_now() -> None:
    process, base = start("--clock-behind", str(2 * 86_400))
    with open_client(base) as http:
        emulator = Running(base, http)
        for _ in range(2):
            realm_id = emulator.reset("uk-vat")[0]["realm_id"]
            old = emulator.company(realm_id).create("Customer", {"DisplayName": "Of old"})
            emulator.control("POST", "clock", {"jump_seconds": 2 * 86_400})
            new = emulator.company(realm_id).create("Customer", {"DisplayName": "Of now"})
            now = datetime.now(UTC)
            assert timedelta(0) <= now - _made_at(new) < timedelta(seconds=60)
            assert timedelta(days=2) <= now - _made_at(old) < timedelta(days=2, seconds=60)
    assert stop(process) == 0


def test_clock_cannot_begin_in_the_future() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "qbo_emulator", "--port", "0", "--clock-behind", "-1"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")},
        timeout=10,
    )
    assert answer.returncode == 2
    assert "argument --clock-behind" in answer.stderr


def _made_at(record: Json) -> datetime:
    return datetime.fromisoformat(record["MetaData"]["CreateTime"])


def test_nothing_acknowledged_is_lost_by_a_kill_under_load(tmp_path: Path) -> None:
    process, base = start("--data-dir", str(tmp_path), "--scenario", "us-sample")
    with open_client(base) as http:
        company = Running(base, http).company(http.get("/_emulator/health").json()["companies"][0]["realm_id"])
    headers = {"Authorization": f"Bearer {company.tokens.access}", "Accept": "application/json"}
    acknowledged: list[Json] = []

    def hammer(worker: int) -> None:
        with open_client(base) as mine:
            for number in range(10_000):
                made = [{"DisplayName": f"K{worker}-{number}-{at}"} for at in range(3)]
                items = [{"bId": str(at), "operation": "create", "Customer": each} for at, each in enumerate(made)]
                path, body = ("batch", {"BatchItemRequest": items}) if worker % 2 else ("customer", made[0])
                try:
                    answer = mine.post(f"/v3/company/{company.realm}/{path}", json=body, headers=headers).json()
                except httpx.TransportError:
                    return
                found = answer["BatchItemResponse"] if worker % 2 else [answer]
                acknowledged.extend(each["Customer"] for each in found)

    with ThreadPoolExecutor(4) as pool:
        for worker in range(4):
            pool.submit(hammer, worker)
        until = time.monotonic() + 20
        while len(acknowledged) < 300 and time.monotonic() < until:
            time.sleep(0.01)
        process.kill()
    process.communicate(timeout=10)
    assert len(acknowledged) >= 300
    process, base = start("--data-dir", str(tmp_path))
    with open_client(base) as http:
        [books] = Running(base, http).control("GET", f"dump?realm_id={company.realm}&entities=Customer")["companies"]
    kept = {each["Id"]: each["DisplayName"] for each in books["entities"]["Customer"]}
    assert [each for each in acknowledged if kept.get(each["Id"]) != each["DisplayName"]] == []
    assert stop(process) == 0


def test_starts_in_under_a_second_and_leaves_with_connections_open() -> None:
    process, base = start()
    with open_client(base) as http:
        assert http.get("/_emulator/health").status_code == 200
        before = time.monotonic()
        assert stop(process) == 0
        assert time.monotonic() - before < 2


def test_taken_port_is_one_clear_sentence() -> None:
    process, base = start()
    port = base.rsplit(":", 1)[1]
    second = subprocess.run(
        [sys.executable, "-m", "qbo_emulator", "--port", port], capture_output=True, text=True, check=False, timeout=20
    )
    assert second.returncode == 1
    assert second.stderr == (
        f"Cannot listen on 127.0.0.1:{port} (Address already in use). "
        "Is something else running there? Choose another with --port.\n"
    )
    assert stop(process) == 0


def test_a_second_emulator_on_the_same_data_is_refused(tmp_path: Path) -> None:
    process, _ = start("--data-dir", str(tmp_path))
    second = subprocess.run(
        [sys.executable, "-m", "qbo_emulator", "--port", "0", "--data-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr == f"Cannot use the data directory {tmp_path}: another emulator is running on it\n"
    assert stop(process) == 0


def test_ends_with_its_parent() -> None:
    script = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-m', 'qbo_emulator', '--port', '0', '--exit-with-parent'],"
        " stdout=subprocess.PIPE, text=True)\n"
        "print(child.pid, flush=True)\n"
        "print(child.stdout.readline(), flush=True)\n"
        "child.wait()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert "http://" in parent.stdout.readline()
    os.kill(parent.pid, signal.SIGKILL)
    parent.communicate(timeout=10)
    assert _gone(child, seconds=5)


def test_country_chooses_the_scenario() -> None:
    process, base = start("--country", "AU", "--client-id", "mine", "--client-secret", "s")
    health = json.loads(httpx.get(f"{base}/_emulator/health").content)
    assert (health["scenario"], health["companies"][0]["country"]) == ("au-gst", "AU")
    assert stop(process) == 0
