"""What the worker does by the clock, whatever nobody asks for. The lanes' own sweep needs their locks: `dispatcher`."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from cone.accounting.database import DATABASE_ERRORS
from cone.worker import jobs
from cone.worker.jobs import Desk

logger = logging.getLogger(__name__)

# How often the outbox is looked through for what notifications and crashes left.
SWEEP = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Entry:
    """A job and how often it's looked after."""

    job: Callable[[Desk], Awaitable[None]]
    every: timedelta


TIMETABLE = (
    Entry(jobs.revoke, every=timedelta(seconds=15)),
    Entry(jobs.end_disconnects, every=timedelta(seconds=15)),
    Entry(jobs.send_mails, every=timedelta(minutes=1)),
    # Each company once a day; and soon after a refusal, so that the next record needn't be refused for the same.
    Entry(jobs.refresh_references, every=timedelta(seconds=15)),
    Entry(jobs.refresh_aging_tokens, every=timedelta(hours=1)),
    Entry(jobs.prune_history, every=timedelta(hours=6)),
)


async def keep(entry: Entry, desk: Desk) -> None:
    """Do one entry's job for ever; whatever goes wrong in it, the lanes and the other jobs go on."""
    while True:
        try:
            await entry.job(desk)
        except DATABASE_ERRORS as error:
            logger.warning("%s: the database is away, or refused it (%s)", entry.job.__name__, error)
        except Exception:
            # The edge for one job: a bug in it must not stop what sends.
            logger.exception("%s broke", entry.job.__name__)
        await asyncio.sleep(entry.every.total_seconds())
