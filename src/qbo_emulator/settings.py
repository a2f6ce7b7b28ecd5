"""How one emulator runs: what the command line says, and lifetimes that nobody documents for certain."""

from dataclasses import dataclass, field
from pathlib import Path

from .limits import Limits
from .request_ids import RequestIdPolicy

DEFAULT_CLIENT_ID = "emulator-client"
DEFAULT_CLIENT_SECRET = "emulator-secret"  # noqa: S105 - published, protects nothing
DEMO_EMAIL = "bookkeeper@example.com"
DEMO_PASSWORD = "emulator"  # noqa: S105 - published, protects nothing

SCENARIO_OF_COUNTRY = {"GB": "uk-vat", "US": "us-sample", "AU": "au-gst", "CA": "ca-gst-pst"}


@dataclass(frozen=True, slots=True)
class Settings:
    """Seconds are whole numbers on the emulator's own clock."""

    host: str = "127.0.0.1"
    port: int = 8010
    country: str = "GB"
    scenario: str = ""
    client_id: str = DEFAULT_CLIENT_ID
    client_secret: str = DEFAULT_CLIENT_SECRET
    redirect_uris: tuple[str, ...] = ()
    app_name: str = "Your app"
    data_dir: Path | None = None
    strict: bool = False
    access_token_seconds: int = 3600
    refresh_window_seconds: int = 100 * 86_400
    rotate_after_seconds: int = 86_400
    rotation_grace_seconds: int = 86_400
    code_seconds: int = 300
    body_limit: int = 2_000_000
    remembered_requests: int = 5_000
    reuse_revokes: bool = False
    disconnect_url: str = ""
    clock_behind_seconds: int = 0
    limits: Limits = field(default_factory=Limits)
    request_ids: RequestIdPolicy = field(default_factory=RequestIdPolicy)

    @property
    def start_scenario(self) -> str:
        return self.scenario or SCENARIO_OF_COUNTRY[self.country]
