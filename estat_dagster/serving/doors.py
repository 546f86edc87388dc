"""Who a request comes from: a token, the cookie that it was exchanged for, or the name that a proxy vouches for."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

COOKIE = "estat_session"
EVERYBODY = "*"


class Role(StrEnum):
    """What somebody may do."""

    OPERATOR = "operator"
    VIEWER = "viewer"


@dataclass(frozen=True)
class Doors:
    """How people get in.

    Args:
        tokens: role -> token; a role without a token cannot be had by one.
        proxy_header: the header in which a proxy names the person it let in; "" trusts none.
        proxies: the addresses from which that header is believed.
        operators: the names of the header who may change something; `EVERYBODY` is all of them.
    """

    tokens: Mapping[Role, str] = field(default_factory=dict, repr=False)
    proxy_header: str = ""
    proxies: frozenset[str] = frozenset()
    operators: frozenset[str] = frozenset()

    def role_of_token(self, given: str) -> Role | None:
        """Return the role that a token gives."""
        return next((role for role, token in self.tokens.items() if _same(given, token)), None)

    def role_of_cookie(self, given: str) -> Role | None:
        """Return the role that a session's cookie gives."""
        return next((role for role, token in self.tokens.items() if _same(given, session(token))), None)

    def role_of_proxy(self, peer: str, name: str) -> Role | None:
        """Return the role of a person whom a proxy named."""
        if not (self.proxy_header and name and peer in self.proxies):
            return None
        return Role.OPERATOR if self.operators & {name, EVERYBODY} else Role.VIEWER


def session(token: str) -> str:
    """Return the cookie of a token: it gives the token away to nobody, and ends when the token is changed."""
    return hmac.new(token.encode(), b"estat web session", hashlib.sha256).hexdigest()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())
