"""The one error of every setting, wherever it is read."""


class BadSetting(ValueError):
    """A setting is missing or wrong. `name` is the variable; the text never holds a secret."""

    def __init__(self, name: str, rule: str) -> None:
        super().__init__(f"{name}: {rule}")
        self.name = name
        self.rule = rule
