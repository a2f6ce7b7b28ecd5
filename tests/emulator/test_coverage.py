"""The coverage page says what the code says, and the fixture of the README works."""

import httpx

from qbo_emulator.coverage import render
from qbo_emulator.evidence import RULES
from qbo_emulator.pytest_fixture import RunningEmulator, run_emulator
from tests.architecture.tree import ROOT

FOLDER = ROOT / "docs" / "emulator"


def test_coverage_page_is_up_to_date() -> None:
    assert (FOLDER / "coverage.md").read_text() == render(), (
        "write it again: python -m qbo_emulator.coverage > docs/emulator/coverage.md"
    )


def test_every_behavior_stands_on_the_page() -> None:
    page = render()
    missing = [each.key for each in RULES.values() if f"| {' '.join(each.says.split())} | {each.mark} |" not in page]
    assert missing == []
    assert len(RULES) > 100


def test_fixture_starts_an_emulator_that_answers_with_its_keys() -> None:
    with run_emulator("--no-limits", "--country", "US") as running:
        assert isinstance(running, RunningEmulator)
        issued = httpx.post(f"{running.control}/tokens", json={}).json()
        headers = {"Authorization": f"Bearer {issued['access_token']}", "Accept": "application/json"}
        answer = httpx.get(f"{running.api}/{issued['realm_id']}/companyinfo/{issued['realm_id']}", headers=headers)
        assert answer.json()["CompanyInfo"]["Country"] == "US"
        assert httpx.get(running.discovery).json()["token_endpoint"].startswith(running.url)
        assert issued["client_id"] == running.client_id


def test_readme_names_every_control_path() -> None:
    text = (FOLDER / "README.md").read_text()
    for path in ("reset", "faults", "limits", "metering", "request-ids", "webhooks", "clock", "tokens", "lifetimes"):
        assert f"/_emulator/{path}" in text
