"""Who may open which company on the in-memory platform: sign-ins, tokens, and their end."""

from datetime import timedelta
from itertools import count

from cone.accounting.port.company import TokenGrant
from cone.accounting.port.provider import AuthorizationRefusedError
from cone.accounting.port.verdicts import Answered, ReconnectError

DEFAULT_COMPANY = "fake-company"


class FakeGrants:
    """The grants of one platform."""

    def __init__(self, numbers: "count[int]") -> None:
        self.numbers = numbers
        self.revoked: list[str] = []
        self._codes: dict[str, str] = {}
        self._access: dict[str, str] = {}
        self._refresh: dict[str, str] = {}

    def sign_in(self, company_id: str = DEFAULT_COMPANY) -> dict[str, str]:
        """The query a browser brings back after consent there."""
        code = f"code-{next(self.numbers)}"
        self._codes[code] = company_id
        return {"code": code, "company": company_id}

    def expire_access(self) -> None:
        """End all access tokens; refresh tokens live on."""
        self._access.clear()

    def disconnect_there(self, company_id: str = DEFAULT_COMPANY) -> None:
        """End every grant of a company, as its owner can there."""
        for tokens in (self._access, self._refresh):
            for token in [token for token, company in tokens.items() if company == company_id]:
                del tokens[token]

    def grant(self, company_id: str) -> TokenGrant:
        """Make a pair of tokens."""
        number = next(self.numbers)
        self._access[f"access-{number}"] = company_id
        self._refresh[f"refresh-{number}"] = company_id
        return TokenGrant(
            access_token=f"access-{number}",
            refresh_token=f"refresh-{number}",
            access_lifetime=timedelta(hours=1),
            refresh_lifetime=timedelta(days=100),
        )

    def trade_code(self, code: str) -> TokenGrant:
        if code not in self._codes:
            raise AuthorizationRefusedError("expired")
        return self.grant(self._codes.pop(code))

    def trade_refresh(self, refresh_token: str) -> TokenGrant:
        if refresh_token not in self._refresh:
            raise ReconnectError(Answered(http_status=400, code="invalid_grant", message="Token invalid"))
        return self.grant(self._refresh.pop(refresh_token))

    def revoke(self, token: str) -> None:
        self.revoked.append(token)
        company = self._refresh.get(token) or self._access.get(token)
        if company is not None:
            self.disconnect_there(company)

    def company_of(self, token: str) -> str | None:
        """The company that an access token opens, if it's alive."""
        return self._access.get(token)
