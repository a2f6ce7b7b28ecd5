"""The record of API requests: bounded, newest last, bodies kept raw until somebody looks."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from qbo_emulator.jsonio import Json, MalformedJsonError, decode

_SHOWN = 100_000  # bytes of a body that are kept
_ANSWERED = 20_000  # and of an answer


@dataclass(slots=True)
class Entry:
    """One request to the accounting API and how it ended.

    `status` is what was answered and `result` what the work ended with; 0 means that there was none.
    """

    number: int
    at: str
    method: str
    path: str
    query: dict[str, str]
    body: bytes
    tid: str
    status: int = 0
    replayed: bool = False
    injected: str | None = None
    milliseconds: int = 0
    result: int = 0
    executed_at: str | None = None  # of work that was done after its client had gone
    answer: bytes = b""

    def keep_answer(self, body: bytes) -> None:
        self.answer = body[:_ANSWERED]

    def as_json(self) -> Json:
        text = self.body.decode("utf-8", "replace")
        body: object = text or None
        if text:
            try:
                body = decode(self.body)
            except MalformedJsonError:
                body = text
        return {
            "number": self.number,
            "at": self.at,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "requestid": self.query.get("requestid"),
            "body": body,
            "status": self.status,
            "intuit_tid": self.tid,
            "replayed": self.replayed,
            "injected": self.injected,
            "milliseconds": self.milliseconds,
            "result": self.result,
            "executed_at": self.executed_at,
        }


class Recorder:
    """The last requests and a count of all."""

    def __init__(self, limit: int) -> None:
        self.entries: deque[Entry] = deque(maxlen=limit)
        self.count = 0

    def find(self, number: int) -> Entry | None:
        return next((each for each in self.entries if each.number == number), None)

    def open(self, *, at: str, method: str, path: str, query: dict[str, str], body: bytes, tid: str) -> Entry:
        self.count += 1
        entry = Entry(self.count, at, method, path, query, body[:_SHOWN], tid)
        self.entries.append(entry)
        return entry

    def clear(self) -> None:
        self.entries.clear()
