"""What stands in for a class of a package that is not installed."""

from typing import Any

from factorgrid.errors import Error


def missing(what: str, package: str) -> Any:
    """A base class whose subclasses can be imported and cannot be made: the error says what to install.

    >>> missing("this", "torch")()
    Traceback (most recent call last):
    factorgrid.errors.Error: this needs a package that is not installed: pip install torch
    """

    class Missing:
        def __init__(self, *_: Any, **__: Any) -> None:
            raise Error(f"{what} needs a package that is not installed: pip install {package}")

        def __init_subclass__(cls) -> None:
            cls.__init__ = Missing.__init__  # type: ignore[method-assign]

    return Missing
