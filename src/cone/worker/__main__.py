"""`python -m cone.worker`: run the dispatcher until SIGTERM or Ctrl-C."""

import asyncio
import logging
import os
import signal

import django
import uvloop

from cone.kit.collector import tune_collector


async def _run() -> None:
    # Models can only be imported once Django is set up.
    from cone.worker.dispatcher import Dispatcher  # noqa: PLC0415  # only after django.setup()

    dispatcher = Dispatcher()
    work = asyncio.create_task(dispatcher.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, work.cancel)
    ready = asyncio.create_task(dispatcher.ready.wait())
    await asyncio.wait({work, ready}, return_when=asyncio.FIRST_COMPLETED)
    if ready.done():
        tune_collector()
        logging.getLogger("cone.worker").info("worker ready")
    ready.cancel()
    try:
        await work
    except asyncio.CancelledError:
        logging.getLogger("cone.worker").info("worker stopped")


def main() -> None:
    """Set up Django and the providers, then work."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cone.project.settings")
    django.setup()
    uvloop.run(_run())


if __name__ == "__main__":
    main()
