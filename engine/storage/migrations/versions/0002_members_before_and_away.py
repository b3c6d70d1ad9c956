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
    for table, key in (("club", "id"), ("charter_change", "club_id")):
        _name_the_weekdays(op.get_bind(), table, key)


def _name_the_weekdays(connection: sa.Connection, table: str, key: str) -> None:
    """The reading week's moments stood in the charter as hours; now with their weekday."""
    rows = sa.table(table, sa.column(key), sa.column("version"), sa.column("charter", sa.JSON))
    columns = [rows.c[key], rows.c.charter] + ([rows.c.version] if table == "charter_change" else [])
    for row in connection.execute(sa.select(*columns)).mappings().all():
        charter = dict(row["charter"])
        numbers = dict(charter.get("numbers", {}))
        for name, day in (("week_opens", "sunday"), ("week_due", "saturday")):
            if name in numbers and " " not in numbers[name]:
                numbers[name] = f"{day} {numbers[name]}"
        mine = rows.c[key] == row[key]
        if table == "charter_change":
            mine &= rows.c.version == row["version"]
        connection.execute(sa.update(rows).where(mine).values(charter=charter | {"numbers": numbers}))
