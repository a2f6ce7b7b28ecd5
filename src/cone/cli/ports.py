"""Ports: are they free before anything is started, and does somebody answer there."""

import errno
import http.client
import socket

from cone.cli.refusals import StartRefusedError


def check_port(host: str, port: int, *, option: str) -> None:
    """Raise StartRefusedError, naming the option that moves it, unless this port can be listened on."""
    family, address = _resolve(host, port)
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            reason = {
                errno.EADDRINUSE: "is taken by another program",
                errno.EACCES: "needs more rights than this user has",
                errno.EADDRNOTAVAIL: "can't be used: this machine has no such address",
            }.get(error.errno or 0, f"can't be used: {error.strerror}")
            raise StartRefusedError(f"Port {port} on {host} {reason}. Choose another one with {option}.") from error


def answers_ok(host: str, port: int, path: str) -> bool:
    """Say whether a GET of this path is answered by 200."""
    connection = http.client.HTTPConnection(_reachable(host), port, timeout=2)
    try:
        connection.request("GET", path, headers={"Host": f"127.0.0.1:{port}"})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def get_address(host: str, port: int) -> str:
    """Return the address that a browser on this machine uses for a server that listens on `host`."""
    name = _reachable(host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- compared, not bound


def _resolve(host: str, port: int) -> tuple[int, tuple[str | int | bytes, ...]]:
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise StartRefusedError(f"{host} isn't an address of this machine. Choose another one with --host.") from error
    family, _, _, _, address = found[0]
    return family, address
