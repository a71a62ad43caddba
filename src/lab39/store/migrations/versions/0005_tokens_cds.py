"""Tokens of programs; cards given through CDS Hooks, what became of them, and signed requests seen once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lab39.store.schema import Instant, Serial

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Four tables."""
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("token_sha256", sa.String(64), nullable=False),
        sa.Column("person_id", sa.String(32), sa.ForeignKey("people.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("expires_at", Instant, nullable=False),
        sa.Column("used_at", Instant),
        sa.Column("revoked_at", Instant),
        sa.UniqueConstraint("token_sha256", name="uq_api_tokens_token_sha256"),
    )
    op.create_index("ix_api_tokens_person_id", "api_tokens", ["person_id"])
    op.create_table(
        "cds_cards",
        sa.Column("uuid", sa.String(36), primary_key=True),
        sa.Column("service", sa.String(60), nullable=False),
        sa.Column("solution", sa.String(60), nullable=False),
        sa.Column("code", sa.String(120), nullable=False),
        sa.Column("severity", sa.String(10), nullable=False),
        sa.Column("at", Instant, nullable=False),
    )
    op.create_index("ix_cds_cards_at", "cds_cards", ["at"])
    op.create_table(
        "cds_feedback",
        sa.Column("number", Serial, primary_key=True),
        sa.Column("card", sa.String(36), nullable=False),
        sa.Column("service", sa.String(60), nullable=False),
        sa.Column("solution", sa.String(60), nullable=False),
        sa.Column("code", sa.String(120), nullable=False),
        sa.Column("outcome", sa.String(10), nullable=False),
        sa.Column("suggestions", sa.Integer, nullable=False),
        sa.Column("reason_system", sa.Text, nullable=False),
        sa.Column("reason_code", sa.Text, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("outcome_at", Instant, nullable=False),
        sa.Column("received_at", Instant, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.UniqueConstraint("card", "outcome", "outcome_at", name="uq_cds_feedback_card_outcome_outcome_at"),
    )
    op.create_table(
        "cds_nonces",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("expires_at", Instant, nullable=False),
    )
    op.create_index("ix_cds_nonces_expires_at", "cds_nonces", ["expires_at"])
