"""Tokens at rest: encrypted with the newest key, readable with any key of the file, so that keys can be rotated."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class KeyMissingError(Exception):
    """The stored tokens were encrypted with a key that isn't in the key file; restore the file or reconnect."""


def _ring() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.TOKEN_KEYS])


def seal(secret: str) -> bytes:
    """Encrypt a token."""
    return _ring().encrypt(secret.encode())


def unseal(sealed: bytes | memoryview) -> str:
    """Decrypt a token. Raises KeyMissingError."""
    try:
        return _ring().decrypt(bytes(sealed)).decode()
    except InvalidToken as error:
        raise KeyMissingError(KeyMissingError.__doc__) from error
