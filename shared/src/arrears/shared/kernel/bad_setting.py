"""The one error of every setting, wherever it is read."""

from collections.abc import Iterator
from contextlib import contextmanager


class BadSetting(ValueError):
    """A setting is missing or wrong. `name` is the variable; the text never holds a secret."""

    def __init__(self, name: str, rule: str) -> None:
        super().__init__(f"{name}: {rule}")
        self.name = name
        self.rule = rule


@contextmanager
def reading_what_it_names(name: str) -> Iterator[None]:
    """Around the reading of a file or folder. Raises BadSetting where it cannot be read."""
    try:
        yield
    except OSError as error:
        raise BadSetting(name, f"cannot be read: {error.strerror}") from None
    except UnicodeError:
        raise BadSetting(name, "is not a text in UTF-8") from None
