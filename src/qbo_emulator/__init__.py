"""A QuickBooks Online emulator that third-party clients can be pointed at.

Start it with ``python -m qbo_emulator --port 8010 [--country US|GB|AU|CA] [--data-dir DIR] [--no-limits]``. One base
URL serves the OAuth, discovery and accounting paths of all Intuit hosts; ``/_emulator/`` is its control plane
(health, reset, dump, requests, faults, limits, metering, request-ids, webhooks, tokens, clock, act, apps, companies,
lifetimes, coverage); ``/`` shows the books to a person, with ``/app/invoice?txnId=…&realmId=…`` and its kind as
stable links. The default app is ``emulator-client`` with the secret ``emulator-secret``; the sign-in page shows its
demo login. Each behavior is listed with what it rests on (``/_emulator/coverage``), and what is not covered answers
with a clear error instead of something plausible. docs/emulator/ tells the rest.
"""

__version__ = "0.1.0"
