"""What goes wrong with the stack is told in one sentence that says what to do."""


class StackError(Exception):
    """Shown as it is to the person at the terminal, without a traceback."""
