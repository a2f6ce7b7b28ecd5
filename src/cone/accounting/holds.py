"""What becomes of "not now": the company as a whole waits, counted on its connection, until a success.

A used-up monthly allowance is no matter of seconds: its reads and batches (or everything, when a single write was
refused too) wait for the next month, or until a person says that the allowance was raised. The connection alone says
until when; rows follow it.
"""

from collections.abc import Sequence
from datetime import timedelta

from cone.accounting.attempts import Fence
from cone.accounting.database import Database
from cone.accounting.port.verdicts import TryLaterError
from cone.accounting.records import Row, Situation
from cone.accounting.sql import holds as holds_sql
from cone.accounting.sql import outcomes as outcomes_sql

_STATEMENTS = {
    "": holds_sql.HOLD_CONNECTION,
    "reads": holds_sql.HOLD_READS,
    "everything": holds_sql.HOLD_EVERYTHING,
}


async def hold(
    database: Database, fence: Fence, row: Row, verdict: TryLaterError, situation: Situation, *, is_write: bool
) -> None:
    """Hold the connection for as long as the verdict asks. The row that met it hasn't failed, so it's no try.

    Where reads and batches alone are held, a row that met it with a read waits for them: it would only ask for the
    same one again. One that met it in a batch (`is_write`: single ones aren't counted) may go by itself. Where a person
    has asked to try now since the `situation`, a used-up allowance holds nothing: what is asked next finds out.
    """
    values = {
        "connection": fence.connection_id,
        "epoch": fence.epoch,
        "delay": verdict.delay,
        "try_now_at": situation.try_now_at,
    }
    await database.execute(_STATEMENTS[verdict.allowance], values)
    if verdict.allowance == "reads" and not is_write:
        await hold_rows(database, fence, [row])
    else:
        await postpone(database, row, timedelta())


async def hold_rows(database: Database, fence: Fence, rows: Sequence[Row]) -> None:
    """Have rows wait for the month's reads, within the caller's transaction; not at all if they aren't held any more.

    The transaction must hold the connection's row, as `check_fence` does: lifting the hold then comes before or after.
    """
    values = {"connection": fence.connection_id, "rows": [row.id for row in rows]}
    await database.execute(holds_sql.HOLD_ROWS, values)


async def end_backoff(database: Database, fence: Fence, situation: Situation) -> None:
    """Begin at one second again: the platform answered. Costs nothing while it wasn't asked to wait."""
    if situation.is_throttled:
        values = {"connection": fence.connection_id, "epoch": fence.epoch}
        await database.execute(holds_sql.END_BACKOFF, values)


async def postpone(database: Database, row: Row, delay: timedelta) -> None:
    """Have a row wait without counting a try."""
    await database.execute(outcomes_sql.ROWS_DUE, {"rows": [row.id], "delay": delay, "tried": 0})
