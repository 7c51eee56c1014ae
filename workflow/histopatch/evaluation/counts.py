"""Numbers of things in sentences."""


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number and its noun: `1 slide`, `1,200 slides`; plural: where it is not the noun and an s."""
    return f"{number:,.0f} {noun if number == 1 else plural or noun + 's'}"
