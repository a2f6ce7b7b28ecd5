"""The RSA key behind id tokens, made when first needed and kept in the journal.

The cryptography package is imported when a key is first used: it costs a sixth of the time the emulator takes to start.
"""
# ruff: noqa: PLC0415 - imported when needed

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from qbo_emulator.jsonio import Json, encode
from qbo_emulator.store import Journal

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

KEY_ID = "emulator-key-1"


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class SigningKey:
    """Signs JWTs with RS256 and publishes the public half."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._stored = ""
        self._key: RSAPrivateKey | None = None

    def load(self, pem: str) -> None:
        self._stored = pem

    def _private(self) -> RSAPrivateKey:
        if self._key is None:
            self._key = self._read() if self._stored else self._make()
        return self._key

    def _read(self) -> RSAPrivateKey:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        key = load_pem_private_key(self._stored.encode(), password=None)
        return key if isinstance(key, RSAPrivateKey) else self._make()

    def _make(self) -> RSAPrivateKey:
        from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        key = generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self._journal.keep_facts([("signing", KEY_ID, {"pem": pem.decode()})])
        return key

    def sign(self, claims: Json) -> str:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        head = _b64(encode({"alg": "RS256", "typ": "JWT", "kid": KEY_ID}))
        body = f"{head}.{_b64(encode(claims))}"
        signature = self._private().sign(body.encode(), PKCS1v15(), SHA256())
        return f"{body}.{_b64(signature)}"

    def jwks(self) -> Json:
        numbers = self._private().public_key().public_numbers()
        modulus = numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")
        exponent = numbers.e.to_bytes((numbers.e.bit_length() + 7) // 8, "big")
        return {
            "keys": [
                {"kty": "RSA", "e": _b64(exponent), "use": "sig", "kid": KEY_ID, "alg": "RS256", "n": _b64(modulus)}
            ]
        }
