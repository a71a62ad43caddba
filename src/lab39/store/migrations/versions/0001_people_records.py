"""People, their records and consents, and the index of files kept beside the database."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lab39.store.migrations.guards import append_only
from lab39.store.schema import Instant, Serial

revision = "0001"
down_revision = None
branch_labels = ("lab",)
depends_on = None


def upgrade() -> None:
    """The first tables."""
    _people()
    _signing_in()
    _records()
    _assessments()
    op.create_table(
        "consents",
        sa.Column("number", Serial, primary_key=True),
        _person("person_id"),
        sa.Column("purpose", sa.String(60), nullable=False),
        sa.Column("given", sa.Boolean, nullable=False),
        sa.Column("wording", sa.String(60), nullable=False),
        sa.Column("channel", sa.String(30), nullable=False),
        sa.Column("at", Instant, nullable=False),
    )
    op.create_index("ix_consents_person_id_purpose", "consents", ["person_id", "purpose"])
    append_only("consents")
    op.create_table(
        "blobs",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("file", sa.String(64), nullable=False, unique=True),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("encrypted", sa.Boolean, nullable=False),
        sa.Column("at", Instant, nullable=False),
    )
    op.create_table(
        "blob_uses",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("sha256", sa.String(64), sa.ForeignKey("blobs.sha256"), nullable=False, index=True),
        sa.Column("used_by", sa.String(255), nullable=False, index=True),
        _person("person_id", index=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("media_type", sa.String(255), nullable=False),
        sa.Column("at", Instant, nullable=False),
    )


def _person(name: str, *, nullable: bool = False, index: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(32), sa.ForeignKey("people.id"), nullable=nullable, index=index)


def _people() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("email", sa.Text, unique=True),
        sa.Column("lang", sa.String(2), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("erased_at", Instant),
    )
    op.create_table(
        "person_roles",
        sa.Column("person_id", sa.String(32), sa.ForeignKey("people.id"), primary_key=True),
        sa.Column("role", sa.String(20), primary_key=True),
        sa.Column("given_at", Instant, nullable=False),
        _person("given_by", nullable=True),
    )
    op.create_table(
        "professional_identities",
        sa.Column("person_id", sa.String(32), sa.ForeignKey("people.id"), primary_key=True),
        sa.Column("system", sa.String(10), primary_key=True),
        sa.Column("asserted_by", sa.String(255), primary_key=True),
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column("profession", sa.String(20), nullable=False),
        sa.Column("asserted_at", Instant, nullable=False),
    )
    op.create_table(
        "external_identities",
        sa.Column("issuer", sa.String(255), primary_key=True),
        sa.Column("subject", sa.String(255), primary_key=True),
        _person("person_id", index=True),
        sa.Column("linked_at", Instant, nullable=False),
    )


def _signing_in() -> None:
    op.create_table(
        "credentials",
        sa.Column("person_id", sa.String(32), sa.ForeignKey("people.id"), primary_key=True),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("changed_at", Instant, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("token_sha256", sa.String(64), primary_key=True),
        _person("person_id", index=True),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("last_seen_at", Instant, nullable=False),
        sa.Column("expires_at", Instant, nullable=False, index=True),
    )


def _records() -> None:
    op.create_table(
        "records",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("pseudonym", sa.String(40), nullable=False, unique=True),
        sa.Column("title", sa.Text, nullable=False),
        _person("owner_id", index=True),
        _person("subject_id", nullable=True, index=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("changed_at", Instant, nullable=False),
        sa.Column("retain_until", Instant),
    )
    op.create_table(
        "record_versions",
        sa.Column("record_id", sa.String(32), sa.ForeignKey("records.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("at", Instant, nullable=False),
        _person("by"),
    )
    op.create_table(
        "record_access",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column(
            "record_id", sa.String(32), sa.ForeignKey("records.id", ondelete="CASCADE"), nullable=False, index=True
        ),
        _person("person_id", index=True),
        sa.Column("level", sa.String(10), nullable=False),
        _person("granted_by"),
        sa.Column("granted_at", Instant, nullable=False),
        sa.Column("until", Instant),
        sa.Column("revoked_at", Instant),
        _person("revoked_by", nullable=True),
    )


def _assessments() -> None:
    op.create_table(
        "assessments",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("record_id", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("on", sa.Date, nullable=False),
        sa.Column("report", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
        _person("by"),
        sa.ForeignKeyConstraint(
            ["record_id", "version"], ["record_versions.record_id", "record_versions.number"], ondelete="CASCADE"
        ),
    )
    op.create_index("ix_assessments_record_id_at", "assessments", ["record_id", "at"])
    op.create_table(
        "decisions",
        sa.Column("number", Serial, primary_key=True),
        sa.Column(
            "assessment_id",
            sa.String(32),
            sa.ForeignKey("assessments.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column(
            "record_id", sa.String(32), sa.ForeignKey("records.id", ondelete="CASCADE"), nullable=False, index=True
        ),
        sa.Column("finding", sa.String(255), nullable=False),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", Instant, nullable=False),
        _person("by"),
    )
