"""The life of a connection: its states as a table, and what each allows.

The diagram in docs/connection-states.md is printed from TRANSITIONS and checked by a test.
"""

from dataclasses import dataclass
from enum import StrEnum

from cone.domain.errors import RefusalError


class State(StrEnum):
    """Where a connection stands."""

    CONNECTED = "connected"
    NEEDS_RECONNECT = "needs_reconnect"
    READ_ONLY = "read_only"
    DISCONNECTING = "disconnecting"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed change of state and what brings it about."""

    source: State
    target: State
    event: str


TRANSITIONS = (
    Transition(State.CONNECTED, State.NEEDS_RECONNECT, "the tokens are refused"),
    Transition(State.CONNECTED, State.READ_ONLY, "the company or the keys don't allow writing"),
    Transition(State.CONNECTED, State.DISCONNECTING, "the owner disconnects"),
    Transition(State.NEEDS_RECONNECT, State.CONNECTED, "a person signs in again"),
    Transition(State.NEEDS_RECONNECT, State.DISCONNECTING, "the owner disconnects"),
    Transition(State.READ_ONLY, State.CONNECTED, "a check finds it solved"),
    Transition(State.READ_ONLY, State.NEEDS_RECONNECT, "the tokens are refused"),
    Transition(State.READ_ONLY, State.DISCONNECTING, "the owner disconnects"),
    Transition(State.DISCONNECTING, State.DISCONNECTED, "answers in flight have come, settings are removed"),
)


def sources_of(target: State) -> list[str]:
    """The states from which `target` can be reached: for `where state = any(…)` in the update that moves there."""
    return [transition.source.value for transition in TRANSITIONS if transition.target is target]


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> connected: a person connects a company"]
    lines += [f"    {entry.source} --> {entry.target}: {entry.event}" for entry in TRANSITIONS]
    return "\n".join([*lines, "    disconnected --> [*]"])


class NotConnectedError(RefusalError):
    """No accounting software is connected; connect it under Settings › Integrations."""

    code = "not_connected"


class ConnectionBusyError(RefusalError):
    """The connection is being disconnected; wait a moment and try again."""

    code = "connection_busy"
