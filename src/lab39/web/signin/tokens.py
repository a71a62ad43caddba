"""What an issuer signed: keys, and the ID token that says who it is (OpenID Connect Core 1.0, section 3.1.3.7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lab39.web.signin.providers import Provider

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

LEEWAY_SECONDS = 60
"""How far the clocks of the lab and of the issuer may differ."""
RSA_BITS = 2048
SUBJECT_MAX = 255


class TokenError(Exception):
    """A token that proves nothing; ``why`` is one word for the audit log."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def keys(document: Any) -> KeySet:
    """The issuer's keys that may sign, from its JWKS; others (shared, short, for encryption) are left out.

    Raises:
        TokenError: it has none.
    """
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey, import_key

    rows = document.get("keys") if isinstance(document, Mapping) else None
    found: list[Key] = []
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict) or row.get("use", "sig") != "sig" or not _is_strong_pair(row):
            continue
        try:
            key = import_key(row)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if isinstance(key, (RSAKey, ECKey, OKPKey)):
            found.append(key)
    if not found:
        raise TokenError("keys")
    return KeySet(found)


def _is_strong_pair(row: Mapping[str, Any]) -> bool:
    """A key pair, long enough; looked at before it is read."""
    if row.get("kty") != "RSA":
        return row.get("kty") in ("EC", "OKP")
    modulus = row.get("n")
    return isinstance(modulus, str) and len(modulus.rstrip("=")) * 6 >= RSA_BITS


def header(token: Any) -> Mapping[str, Any]:
    """What a token says of itself, not checked yet.

    Raises:
        TokenError
    """
    import base64
    import json

    try:
        first = token.split(".")[0]
        read = json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except (AttributeError, ValueError, RecursionError):
        raise TokenError("token") from None
    if not isinstance(read, dict) or not isinstance(read.get("alg"), str):
        raise TokenError("token")
    return read


def knows(known: KeySet, token: Any) -> bool:
    """Whether the key that a token names is among these."""
    kid = header(token).get("kid")
    return kid is None or any(key.kid == kid for key in known.keys)


def claims(
    token: Any, known: KeySet, provider: Provider, *, nonce: str, access_token: str, now: int
) -> Mapping[str, Any]:
    """What the ID token says, when everything about it is right.

    Args:
        now: seconds since 1970.

    Raises:
        TokenError
    """
    from authlib.oidc.core import CodeIDToken
    from joserfc import jwt
    from joserfc.errors import JoseError

    said = header(token)
    if said["alg"] not in provider.algorithms:
        raise TokenError("algorithm")
    kid = said.get("kid")
    fits = [key for key in known.keys if kid is None or key.kid == kid]
    if len(fits) != 1:
        raise TokenError("key")
    try:
        decoded = jwt.decode(token, fits[0], algorithms=list(provider.algorithms))
    except (JoseError, ValueError, TypeError):
        raise TokenError("signature") from None
    options = {
        "iss": {"essential": True, "value": provider.issuer},
        "aud": {"essential": True, "value": provider.client_id},
        "nonce": {"essential": True, "value": nonce},
    }
    params = {"nonce": nonce, "client_id": provider.client_id, "access_token": access_token}
    found = CodeIDToken(decoded.claims, decoded.header, options, params)
    try:
        found.validate(now=now, leeway=LEEWAY_SECONDS)
    except JoseError as error:
        raise TokenError(_why(error)) from None
    except (ValueError, TypeError, AttributeError):
        raise TokenError("claims") from None
    subject, issued = found["sub"], found["iat"]
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_MAX:
        raise TokenError("sub")
    if isinstance(issued, bool) or not isinstance(issued, (int, float)) or issued > now + LEEWAY_SECONDS:
        raise TokenError("iat")
    if provider.acr and found.get("acr") not in provider.acr:
        raise TokenError("acr")
    return dict(found)


def _why(error: Exception) -> str:
    claim = getattr(error, "claim", None)
    return claim if isinstance(claim, str) and claim.isidentifier() else "claims"
