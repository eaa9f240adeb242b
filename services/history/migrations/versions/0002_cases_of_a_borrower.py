"""The cases of one borrower are found without reading the list.

Revision ID: 0002
"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index("case_list_borrower_id", "case_list", ["borrower_id"])


def downgrade() -> None:
    op.drop_index("case_list_borrower_id")
