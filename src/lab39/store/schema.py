"""What every table of the lab shares: one metadata, names for constraints, portable column types.

The tables themselves stand in the module of the noun they store (``people``, ``records``, ``jobs``…).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
"""JSON values; JSONB on PostgreSQL. Not for clinical documents, whose decimals it would round: those are text."""

Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""An ascending number given by the database (SQLite counts only an ``INTEGER PRIMARY KEY``)."""


class Instant(sa.TypeDecorator[dt.datetime]):
    """A moment with its time zone, kept in UTC to the microsecond on every back end."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:
        """A moment without a time zone is refused: it names no moment."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:
        """SQLite gives it back without its zone."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)
