"""As whom Postgres runs: it refuses to be root, and we neither add users nor loosen anything for it.

Started by root, it runs in a user namespace in which root looks like nobody; where those are forbidden
(containers often do), as the real `nobody`; on a cluster that already belongs to somebody, as that user.
"""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

_NOBODY = 65534
_NAMESPACE = ("unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}")


@dataclass(frozen=True)
class Account:
    """How to become the server's user: a command to go through, or ids to take on."""

    prefix: tuple[str, ...] = ()
    user_id: int | None = None
    group_id: int | None = None

    @property
    def is_someone_else(self) -> bool:
        """Say whether files must be handed to this account, and programs be reachable for it."""
        return self.user_id is not None

    def run(self, command: list[str], *, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a command to its end as this account."""
        return subprocess.run(
            [*self.prefix, *command],
            user=self.user_id,
            group=self.group_id,
            extra_groups=[] if self.is_someone_else else None,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=environment,
        )

    def can_enter(self, path: Path) -> bool:
        """Say whether this account can become itself at all, and reach what's at this path."""
        try:
            return self.run(["test", "-x", str(path)], environment=dict(os.environ)).returncode == 0
        except OSError:
            return False

    def make_private_folder(self, path: Path) -> None:
        """Make a folder that only this account (and root) can look into."""
        path.mkdir(mode=0o700, exist_ok=True)
        if self.user_id is not None and self.group_id is not None:
            os.chown(path, self.user_id, self.group_id)
        path.chmod(0o700)


def list_accounts(cluster: Path, *, allow_namespace: bool) -> list[Account]:
    """Return the accounts worth trying for this cluster, the best first."""
    if os.geteuid() != 0:
        return [Account()]
    owner = cluster.stat() if cluster.is_dir() else None
    if owner is not None and owner.st_uid != 0:
        return [Account(user_id=owner.st_uid, group_id=owner.st_gid)]
    namespace = [Account(prefix=_NAMESPACE)] if allow_namespace else []
    return [*namespace, _nobody()]


def hand_over(cluster: Path, *, to: Account) -> None:
    """Give an existing cluster to the account that will run it (root's, where namespaces are gone)."""
    if to.user_id is None or to.group_id is None or cluster.stat().st_uid == to.user_id:
        return
    for folder, _, files in os.walk(cluster):
        for path in (Path(folder), *(Path(folder, name) for name in files)):
            os.chown(path, to.user_id, to.group_id, follow_symlinks=False)


def _nobody() -> Account:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return Account(user_id=_NOBODY, group_id=_NOBODY)
    return Account(user_id=entry.pw_uid, group_id=entry.pw_gid)
