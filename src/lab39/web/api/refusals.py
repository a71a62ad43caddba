"""What the doors for systems refuse, each with its HTTP status."""

from __future__ import annotations

from lab39.core.errors import LabError
from lab39.core.text import Text


class RefusedError(LabError):
    """A request that is refused for how it was made, whatever it holds.

    Attributes:
        status: of HTTP.
    """

    status = 400


class NotAcceptableError(RefusedError):
    """The caller reads only forms that this door does not write."""

    status = 406


class PreconditionError(RefusedError):
    """What is needed to answer was neither sent nor could be fetched."""

    status = 412


class MediaTypeError(RefusedError):
    """The body is in a form that this door does not read."""

    status = 415


class TokenError(RefusedError):
    """A token that opens nothing: unknown, expired, revoked or forged."""

    status = 401


class UnreadableError(RefusedError):
    """Something of the lab's own cannot be read."""

    status = 500


class MustMatchError(RefusedError):
    """A change that does not say which version it starts from."""

    status = 428


def unsupported(given: str, expected: tuple[str, ...]) -> MediaTypeError:
    """The error for a body of another media type."""
    shown = given[:60] or "–"
    return MediaTypeError(
        Text(
            f"type de contenu non lu ici\u202f: {shown}. Attendu\u202f: {', '.join(expected)}",
            f"content type not read here: {shown}. Expected: {', '.join(expected)}",
        ),
        "Content-Type",
    )
