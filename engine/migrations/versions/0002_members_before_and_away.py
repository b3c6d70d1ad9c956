"""Members from before, an owner who is away, a club that pauses, a letter to another address"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("club", sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("person", sa.Column("registered_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("person", sa.Column("away_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("letter", sa.Column("address", sa.String(), nullable=True))
    op.execute("UPDATE person SET registered_at = joined_at")
