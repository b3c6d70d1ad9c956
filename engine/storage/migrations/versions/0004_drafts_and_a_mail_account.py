"""Drafts, a mail account set on a page, who changed the charter, which browser is signed in"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("charter_change", sa.Column("by_id", sa.BigInteger(), nullable=True))
    op.add_column("web_session", sa.Column("device", sa.String(200), nullable=False, server_default=""))
    op.create_table(
        "draft",
        sa.Column("club_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("form", sa.String(40), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["club_id", "person_id"], ["person.club_id", "person.id"], name=op.f("fk_draft_club_id_person_id_person")
        ),
        sa.PrimaryKeyConstraint("club_id", "person_id", "form", name=op.f("pk_draft")),
    )
    op.create_table(
        "mail_account",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("security", sa.String(16), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("port", sa.BigInteger(), nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_account")),
    )
