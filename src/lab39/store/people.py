"""People: who they are to the lab, their roles, what they practise, the accounts they come with from elsewhere.

A person who was erased keeps an empty row: its identifier, which leads to nobody, stays the author of what others
may still need to read.
"""

from __future__ import annotations

import sqlalchemy as sa

from lab39.store.schema import Instant, metadata

people = sa.Table(
    "people",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("email", sa.Text, unique=True),
    sa.Column("lang", sa.String(2), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("erased_at", Instant),
)

roles = sa.Table(
    "person_roles",
    metadata,
    sa.Column("person_id", sa.ForeignKey("people.id"), primary_key=True),
    sa.Column("role", sa.String(20), primary_key=True),
    sa.Column("given_at", Instant, nullable=False),
    sa.Column("given_by", sa.ForeignKey("people.id")),
)

professions = sa.Table(
    "professional_identities",
    metadata,
    sa.Column("person_id", sa.ForeignKey("people.id"), primary_key=True),
    sa.Column("system", sa.String(10), primary_key=True),
    sa.Column("asserted_by", sa.String(255), primary_key=True),
    sa.Column("number", sa.String(20), nullable=False),
    sa.Column("profession", sa.String(20), nullable=False),
    sa.Column("asserted_at", Instant, nullable=False),
)

identities = sa.Table(
    "external_identities",
    metadata,
    sa.Column("issuer", sa.String(255), primary_key=True),
    sa.Column("subject", sa.String(255), primary_key=True),
    sa.Column("person_id", sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("linked_at", Instant, nullable=False),
)

SELF = "self"
"""Who asserted a professional identity, when it is the person alone: nobody checked it."""
