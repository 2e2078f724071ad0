"""Sizes, times and numbers of things as people read them."""


def readable_bytes(size: int | float) -> str:
    """A number of bytes in the unit that reads best.

    >>> readable_bytes(12_740_198_400), readable_bytes(999)
    ('12.7 GB', '999 bytes')
    """
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def duration(seconds: int | float) -> str:
    """A time in the unit that reads best.

    >>> duration(42.0), duration(600.0), duration(3 * 3600.0), duration(90 * 3600.0)
    ('42 s', '10 min', '3.0 hours', '3.8 days')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f} hours"
    return f"{seconds / 86400:.1f} days"


def counted(num: int, noun: str) -> str:
    """A number of things.

    >>> counted(1, "row"), counted(2000, "row")
    ('1 row', '2,000 rows')
    """
    return f"{num:,} {noun}" + ("" if num == 1 else "s")
