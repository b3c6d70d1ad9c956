"""One-time links that were used, browsers that a decider knows, which device a decision came from, renewable calendars"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person", sa.Column("feed_number", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("event", sa.Column("device", sa.String(200), nullable=False, server_default=""))
    op.add_column("web_session", sa.Column("browser", sa.String(64), nullable=False, server_default=""))
    op.create_table(
        "spent_link",
        sa.Column("club_id", sa.BigInteger(), nullable=False),
        sa.Column("letter_id", sa.BigInteger(), nullable=False),
        sa.Column("use", sa.String(20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("club_id", "letter_id", "use", name=op.f("pk_spent_link")),
    )
    op.create_table(
        "known_browser",
        sa.Column("club_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("browser", sa.String(64), nullable=False),
        sa.Column("device", sa.String(200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["club_id", "person_id"], ["person.club_id", "person.id"], name=op.f("fk_known_browser_club_id_person_id_person")
        ),
        sa.PrimaryKeyConstraint("club_id", "person_id", "browser", name=op.f("pk_known_browser")),
    )
