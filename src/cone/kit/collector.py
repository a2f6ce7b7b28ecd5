"""Python's garbage collector, told what a process that runs for weeks is like."""

import gc

# Reading records makes thousands of small values, still in use or gone by reference counting; the default has the
# collector walk through them after every 700. What it's for, cycles, is rare and small: exceptions with their
# tracebacks.
_NEW_OBJECTS_BETWEEN_COLLECTIONS = 20_000


def tune_collector() -> None:
    """Leave what was imported alone, and look for garbage more rarely. Call it once a process has started up.

    Before a fork it also keeps the pages of memory shared, since the collector writes into all that it walks through.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS_BETWEEN_COLLECTIONS)
