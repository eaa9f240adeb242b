"""The infrastructure of a checkout.

A real Kafka and PostgreSQL, found or started, and our own processes beside them.
"""

from arrears.cli.stack.discovery import (
    Stack,
    clean_stack,
    ensure_stack,
    postgres_answers,
    stop_stack,
)
from arrears.cli.stack.errors import StackError
from arrears.cli.stack.folder import checkout_root
from arrears.cli.stack.processes import Running
from arrears.cli.stack.supervisor import Supervisor

__all__ = [
    "Running",
    "Stack",
    "StackError",
    "Supervisor",
    "checkout_root",
    "clean_stack",
    "ensure_stack",
    "postgres_answers",
    "stop_stack",
]
