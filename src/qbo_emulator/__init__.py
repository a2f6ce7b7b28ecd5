"""A QuickBooks Online emulator that third-party clients can be pointed at.

Start it with ``python -m qbo_emulator --port 8010``. One base URL serves the OAuth, discovery and
accounting paths of all Intuit hosts, ``/_emulator/`` is its control plane and ``/`` shows the books to a person.
What it does not cover answers with a clear error instead of something plausible.
"""

__version__ = "0.1.0"
