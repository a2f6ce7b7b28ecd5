"""The RSA key behind id tokens, made when first needed and kept in the journal."""

import base64

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from qbo_emulator.jsonio import Json, encode
from qbo_emulator.store import Journal

KEY_ID = "emulator-key-1"


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class SigningKey:
    """Signs JWTs with RS256 and publishes the public half."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._key: rsa.RSAPrivateKey | None = None

    def load(self, pem: str) -> None:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
        if isinstance(key, rsa.RSAPrivateKey):
            self._key = key

    def _private(self) -> rsa.RSAPrivateKey:
        if self._key is None:
            self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            pem = self._key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            self._journal.keep_facts([("signing", KEY_ID, {"pem": pem.decode()})])
        return self._key

    def sign(self, claims: Json) -> str:
        head = _b64(encode({"alg": "RS256", "typ": "JWT", "kid": KEY_ID}))
        body = f"{head}.{_b64(encode(claims))}"
        signature = self._private().sign(body.encode(), padding.PKCS1v15(), hashes.SHA256())
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
