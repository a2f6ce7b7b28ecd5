"""The HTTP server: one ASGI application for all paths, and a process that starts fast and ends cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from . import transport
from .control.endpoints import ControlEndpoints
from .emulator import Emulator
from .gateway import Gateway, new_tid
from .oauth.authorize import AuthorizePages
from .oauth.endpoints import OAuthEndpoints
from .oauth_gateway import PATHS, RecordedOAuth
from .pages.views import Pages

_PARENT_DEATH_SIGNAL = 1


class PortTakenError(OSError):
    """Another process listens on the port."""


class _Protocol(HttpToolsProtocol):
    """Hands the transport to the application, so that a fault on order can cut the connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope: Any = self.scope
        scope.setdefault("extensions", {})[transport.KEY] = self.transport


def build_app(emulator: Emulator) -> ASGIApp:
    """The accounting API below /v3/, everything else by routes."""
    gateway = Gateway(emulator)
    site = Starlette(
        routes=[
            *OAuthEndpoints(emulator).routes(),
            *AuthorizePages(emulator).routes(),
            *ControlEndpoints(emulator).routes(),
            *Pages(emulator).routes(),
        ]
    )

    recorded = RecordedOAuth(emulator, site)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/v3/"):
            await gateway(scope, receive, send)
            return

        tid = new_tid(emulator.clock.epoch())

        async def send_with_tid(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", []),
                    (b"intuit_tid", tid.encode()),
                ]
            await send(message)

        if scope["type"] == "http" and scope["path"] in PATHS:
            await recorded(scope, receive, send_with_tid, tid=tid)
            return
        await site(scope, receive, send_with_tid)

    return app


class _Server(uvicorn.Server):
    """Ends with its keep-alive connections open, without waiting for the peers to leave."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave on SIGINT and SIGTERM, and end as a success rather than by raising the signal again."""
        loop = asyncio.get_running_loop()
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(each, self._leave)
        yield

    def _leave(self) -> None:
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for each in sockets or []:
            each.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0)
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=1)
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises PortTakenError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol must be named: asyncio turns Nagle's delay off only on sockets that say they are TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise PortTakenError(error.errno, error.strerror) from error
    return listener


def make_server(app: ASGIApp) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        timeout_keep_alive=75,
        server_header=False,
    )
    return _Server(config)


def end_with_parent(parent: int) -> None:
    """Leave when the parent is gone: told by the kernel on Linux, by looking every second elsewhere too."""

    def leave_if_orphaned(*_: object) -> None:
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)

    if sys.platform == "linux":
        # The kernel also tells when only the parent's thread has ended, so that the handler looks for itself.
        signal.signal(signal.SIGUSR2, leave_if_orphaned)
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGUSR2)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        leave_if_orphaned()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def serve(emulator: Emulator, listener: socket.socket) -> None:
    """Run until SIGINT or SIGTERM."""
    server = make_server(build_app(emulator))
    try:
        asyncio.run(server.serve(sockets=[listener]))
    finally:
        emulator.close()
