"""A person's row carries a version: of two who change it at once the second one starts anew"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person", sa.Column("version", sa.BigInteger(), nullable=False, server_default="1"))
