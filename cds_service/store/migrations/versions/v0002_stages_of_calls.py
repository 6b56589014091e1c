"""How long the stages of a call took."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # The default is for servers of the version before, which may still write while this one starts.
    op.add_column("call", sa.Column("stages", sa.JSON(), nullable=False, server_default="{}"))
