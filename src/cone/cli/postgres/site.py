"""Where an embedded Postgres keeps its files, which programs it runs, and as whom.

The folder `server` holds cluster, socket and copied programs; where the server's user can't reach it, it's
a link to a place that this user can.
"""

import hashlib
import os
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from cone.cli.postgres.account import Account, hand_over, list_accounts
from cone.cli.postgres.binaries import Binaries, copy_binaries, find_binaries
from cone.cli.postgres.leftovers import list_processes, stop_leftovers
from cone.cli.refusals import StartRefusedError

ROLE = "cone"
_LONGEST_SOCKET_PATH = 100


class PostgresStartError(StartRefusedError):
    """The embedded Postgres didn't start."""


class Site:
    """One cluster with everything around it; complete after `prepare`."""

    account: Account
    binaries: Binaries
    socket_dir: Path

    def __init__(self, home: Path, *, allow_namespace: bool, fallback: Path) -> None:
        """Look at nothing yet."""
        self.home = home
        self._link = home / "server"
        self._allow_namespace = allow_namespace
        self._fallback = fallback

    @property
    def place(self) -> Path:
        """Return the folder that the server's user can reach."""
        return self._link.resolve()

    @property
    def cluster(self) -> Path:
        """Return the folder that Postgres calls its data directory."""
        return self.place / "cluster"

    def prepare(self, *, with_sync: bool) -> None:
        """Decide on account and programs, and leave a cluster that nobody works on."""
        if not self._link.is_symlink():
            self._link.mkdir(mode=0o755, exist_ok=True)
        self.account = self._choose_account()
        self.binaries = self._find_binaries()
        self.socket_dir = self._make_socket_dir()
        if self.cluster.is_dir():
            self.forget_stale_servers()
            hand_over(self.cluster, to=self.account)
        else:
            self._make_cluster(with_sync=with_sync)

    def forget_stale_servers(self) -> None:
        """Stop what an earlier life left on the cluster, and what only looks as if it did."""
        stop_leftovers(self.cluster)
        if Path("/proc/self").exists() and not list_processes(self.cluster):
            # Its number may belong to a stranger by now, and Postgres would refuse because of it.
            (self.cluster / "postmaster.pid").unlink(missing_ok=True)

    def _choose_account(self) -> Account:
        accounts = list_accounts(self.cluster, allow_namespace=self._allow_namespace)
        for account in accounts:
            if account.can_enter(self.place):
                return account
        if not accounts[-1].can_enter(Path("/")) or self.cluster.is_dir():
            raise StartRefusedError(
                f"Postgres can't run as root, and the user it would run as can't reach {self.home}."
                " Use --data-dir with a folder everybody may enter, or set DATABASE_URL."
            )
        self._move_to_fallback()
        return accounts[-1]

    def _move_to_fallback(self) -> None:
        place = self._fallback / f"postgres-{secrets.token_hex(4)}"
        place.mkdir(mode=0o755, parents=True)
        shutil.rmtree(self._link)
        self._link.symlink_to(place)

    def _find_binaries(self) -> Binaries:
        version = self.cluster / "PG_VERSION"
        major = int(version.read_text()) if version.is_file() else None
        binaries = find_binaries(major=major)
        if self.account.is_someone_else and not self.account.can_enter(binaries.postgres):
            return copy_binaries(binaries, self.place)
        return binaries

    def _make_socket_dir(self) -> Path:
        folder = self.place / "socket"
        if len(str(folder)) > _LONGEST_SOCKET_PATH - len("/.s.PGSQL.5432"):
            digest = hashlib.sha256(str(self.home).encode()).hexdigest()[:12]
            folder = Path(tempfile.gettempdir(), f"cone-{os.geteuid()}-{digest}")
            if folder.is_symlink() or (folder.exists() and not self._is_ours(folder)):
                folder = Path(tempfile.mkdtemp(prefix="cone-"))
        self.account.make_private_folder(folder)
        return folder

    def _is_ours(self, folder: Path) -> bool:
        return folder.stat().st_uid in {os.geteuid(), self.account.user_id}

    def _make_cluster(self, *, with_sync: bool) -> None:
        unfinished = self.place / "cluster.new"
        if unfinished.is_dir():
            shutil.rmtree(unfinished)
        self.account.make_private_folder(unfinished)
        locale = "C.UTF-8" if sys.platform.startswith("linux") else "C"
        outcome = self.account.run(
            [
                str(self.binaries.initdb),
                f"--pgdata={unfinished}",
                f"--username={ROLE}",
                "--encoding=UTF8",
                f"--locale={locale}",
                "--auth-local=trust",
                "--auth-host=scram-sha-256",
                "--data-checksums",
                *([] if with_sync else ["--no-sync"]),
            ],
            environment=build_server_environment(),
        )
        if outcome.returncode != 0:
            reason = outcome.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise PostgresStartError(f"Postgres couldn't make its data folder {self.cluster}: {reason[0]}")
        unfinished.rename(self.cluster)


def build_server_environment() -> dict[str, str]:
    """Return our environment without what would steer a Postgres of somebody else's."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}
