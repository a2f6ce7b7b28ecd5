"""The pages under docs/ that are printed from the code; `python -m tests.architecture.pages` writes them again."""

import ast
import re
from collections.abc import Callable, Mapping

from cone.accounting.connections import State, diagram
from tests.architecture.tree import ROOT, walk

_VARIABLE = re.compile(r"(CONE|QUICKBOOKS|QBO_EMULATOR)_[A-Z_]+|DATABASE_URL")

# Variable → its default and what it's for, in the order of the page.
_FOR_OPERATORS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "Where things are": {
        "CONE_DATA_DIR": ("`var` in the checkout", "The folder for the embedded database, keys, mail and logs."),
        "DATABASE_URL": (
            "the embedded Postgres",
            (
                "`postgresql://user:password@host:port/name`, Postgres 15 or newer. Options of libpq may follow, "
                "e.g. `?sslmode=verify-full`; of these the lanes heed `options`, `target_session_attrs` and those of "
                "TLS but `sslcrldir`; `channel_binding` holds for pages alone. "
                "Pages give up a server that says nothing after 10 seconds (`connect_timeout`). "
                "With it no embedded Postgres is started."
            ),
        ),
        "CONE_BASE_URL": (
            "where it listens",
            (
                "The address under which people reach Cone: links, cookies, and the redirect URI that Intuit must "
                "know. With `https://` cookies are marked secure and browsers are told to stay on https; the proxy in "
                "front must then set `X-Forwarded-Proto` itself and drop what a client sends."
            ),
        ),
        "CONE_ALLOWED_HOSTS": ("none", "More host names that Cone answers to, separated by commas."),
        "CONE_POSTGRES_BIN": (
            "the wheel's, else the system's newest",
            "A folder with `postgres` and `initdb`, to run the embedded database with other binaries.",
        ),
    },
    "Secrets": {
        "CONE_SECRET_KEY_FILE": (
            "`secret_key` in the data folder",
            "The file with the key that signs sessions. Made on first start with mode 0600.",
        ),
        "CONE_TOKEN_KEYS_FILE": (
            "`keys` in the data folder",
            (
                "The file with the keys that encrypt QuickBooks tokens, one per line, newest first. Made on first "
                "start with mode 0600. Back it up: see [operating](operating.md)."
            ),
        ),
    },
    "QuickBooks": {
        "QUICKBOOKS_CLIENT_ID": (
            "none",
            "The client id of your Intuit app. Without keys `cone up` uses the emulator.",
        ),
        "QUICKBOOKS_CLIENT_SECRET": ("none", "The client secret of your Intuit app."),
        "QUICKBOOKS_ENVIRONMENT": ("none", "`sandbox` (Intuit's test companies) or `production` (real books)."),
        "CONE_REQUEST_IDS_LIVE_MINUTES": (
            "60",
            (
                "How long QuickBooks is trusted to know a request id again. Until then, a write without an answer that "
                "can't be found there is sent again under its id; afterwards a person is asked. `0`: always asked."
            ),
        ),
        "CONE_HISTORY_DAYS": (
            "400",
            "How long attempts are kept as history. The latest success of a record and what is open are kept longer.",
        ),
        "QUICKBOOKS_REQUEST_TIMEOUT_SECONDS": (
            "30",
            "How long an answer may take. What a write without one made is looked for there after this long.",
        ),
        "QUICKBOOKS_LOOK_COUNTS_AFTER_SECONDS": (
            "130",
            (
                "How long after sending a look that finds nothing counts: only then a write without an answer may be "
                "sent again. QuickBooks may work on a request for 120 seconds, so less than 130 is taken only with the "
                "emulator. Raise it where queries there are known to lag behind."
            ),
        ),
    },
    "Mail": {
        "CONE_SMTP_HOST": (
            "none",
            "The mail server for password resets. Without it mails are written to `mail` in the data folder.",
        ),
        "CONE_SMTP_PORT": ("587", "Its port."),
        "CONE_SMTP_USER": ("none", "The user to sign in as there."),
        "CONE_SMTP_PASSWORD": ("none", "That user's password."),
        "CONE_SMTP_TLS": ("1", "`1` switches to TLS with STARTTLS, `0` doesn't."),
        "CONE_MAIL_FROM": ("`Cone <cone@localhost>`", "The sender of Cone's mails."),
    },
    "The emulator": {
        "CONE_EMULATOR_URL": (
            "set by `cone up`",
            "Where the emulator is reached. Set it with the two keys below to use an emulator that runs elsewhere.",
        ),
        "CONE_EMULATOR_CLIENT_ID": ("set by `cone up`", "The client id that Cone is known by there."),
        "CONE_EMULATOR_CLIENT_SECRET": ("set by `cone up`", "The client secret that Cone is known by there."),
        "QBO_EMULATOR_CLIENT_ID": (
            "`emulator-client`",
            "Read by `python -m qbo_emulator`: the client id it accepts (or `--client-id`).",
        ),
        "QBO_EMULATOR_CLIENT_SECRET": (
            "`emulator-secret`",
            "Read by `python -m qbo_emulator`: the client secret it accepts (or `--client-secret`).",
        ),
    },
}
# What the parts of `cone up` tell each other; nobody sets these.
_INTERNAL = frozenset({"CONE_LIFELINE_FD"})


def list_variables() -> set[str]:
    """Every environment variable of ours that the source names, but those between our own processes."""
    named = {
        node.value
        for _, node in walk("src")
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _VARIABLE.fullmatch(node.value)
    }
    return named - _INTERNAL


def list_described() -> set[str]:
    """Every variable that the page describes."""
    return {name for group in _FOR_OPERATORS.values() for name in group}


def print_configuration() -> str:
    """The page of environment variables."""
    parts = [
        "# Configuration",
        (
            "Cone is configured by environment variables. `./run` needs none of them: it starts an embedded Postgres "
            "and the emulator, and makes its secrets itself. What each command can be told besides is shown by "
            "`.venv/bin/cone up --help` and the like."
        ),
    ]
    for title, group in _FOR_OPERATORS.items():
        rows = [f"| `{name}` | {default} | {text} |" for name, (default, text) in group.items()]
        parts.append("\n".join([f"## {title}", "", "| Variable | Default | What for |", "|---|---|---|", *rows]))
    parts.append(
        "`scripts/setup.py` installs with pip and uv; it passes on what pip's settings or `PIP_*` variables say about "
        "package sources, and `UV_*` variables win over those."
    )
    return _page(parts)


def print_connection_states() -> str:
    """The page with the diagram of a connection's states."""
    meanings = "\n".join(f"- `{state.value}`: {_MEANINGS[state]}" for state in State)
    return _page(
        [
            "# The states of a connection",
            (
                "Printed from the table in `src/cone/accounting/connections.py`. Pausing isn't a state: a connection "
                "in any of them may be paused, and then sends nothing."
            ),
            f"```mermaid\n{diagram()}\n```",
            meanings,
        ]
    )


_MEANINGS: Mapping[State, str] = {
    State.CONNECTED: "records are sent as they change.",
    State.NEEDS_RECONNECT: "the sign-in is no longer accepted; nothing is sent, settings are kept, and everything "
    "waits until the owner signs in again.",
    State.READ_ONLY: "the company or the app's keys don't allow writing; nothing is sent until that is solved.",
    State.DISCONNECTING: "answers in flight are waited for, at most 30 seconds.",
    State.DISCONNECTED: "tokens and settings are gone; which record is which in that company is kept.",
}

PAGES: Mapping[str, Callable[[], str]] = {
    "docs/configuration.md": print_configuration,
    "docs/connection-states.md": print_connection_states,
}


def _page(parts: list[str]) -> str:
    return "\n\n".join(parts) + "\n\n<!-- Printed by `python -m tests.architecture.pages`; edit the code. -->\n"


def main() -> None:
    """Write every page."""
    for name, make in PAGES.items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
