"""Run callables at the same moment, each in a thread with a database connection of its own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

from cone.domain.errors import RefusalError

Answer = TypeVar("Answer")


def at_once(acts: Sequence[Callable[[], Answer]]) -> list[Answer | RefusalError]:
    """Start all acts together; return their answers, or the refusals in their place."""
    start = Barrier(len(acts))

    def run(act: Callable[[], Answer]) -> Answer | RefusalError:
        try:
            connection.ensure_connection()
            start.wait(timeout=20)
            return act()
        except RefusalError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))
