"""Python's garbage collector, told what a process that runs for weeks is like."""

import gc

# Reading a thousand records allocates far more than the default of 700 objects, all of them still in use: each time,
# the collector would walk through them and find nothing. Most garbage here has no cycles and doesn't wait for it.
_ALLOCATIONS_BETWEEN_COLLECTIONS = 50_000


def tune_collector() -> None:
    """Leave what was imported alone, and look for garbage more rarely. Call it once a process has started up.

    Before a fork it also keeps the pages of memory shared, since the collector writes into all that it walks through.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_BETWEEN_COLLECTIONS, 20, 20)
