"""How many people an incident hit may be unknown: until now it was never counted"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.alter_column("users_hit", existing_type=sa.Integer(), nullable=True)
    op.execute("UPDATE incident SET users_hit = NULL WHERE users_hit = 0")
