"""Letters in the order in which they leave, and those whose text is still kept: neither search reads the whole ledger"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

QUEUED, KEPT = sa.text("state = 'queued'"), sa.text("bytes IS NOT NULL")


def upgrade() -> None:
    op.drop_index("ix_letter_next_at", "letter")
    op.create_index("ix_letter_next_at", "letter", ["priority", "next_at", "id"], sqlite_where=QUEUED, postgresql_where=QUEUED)
    op.create_index("ix_letter_settled_at", "letter", ["settled_at"], sqlite_where=KEPT, postgresql_where=KEPT)
