"""Letters in the order in which they leave: those that wait for the morning no longer slow down those that leave now"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

QUEUED = sa.text("state = 'queued'")


def upgrade() -> None:
    op.drop_index("ix_letter_next_at", "letter")
    op.create_index("ix_letter_next_at", "letter", ["priority", "next_at", "id"], sqlite_where=QUEUED, postgresql_where=QUEUED)
