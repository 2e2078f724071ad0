"""Stopping in good order: a signal is noticed between two looks at the device, so that a checkpoint can be written."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Whether to stop.

    Attributes:
        signal: the one that came; None as long as none has.
    """

    def __init__(self) -> None:
        self.signal: int | None = None

    def obey(self) -> None:
        """End as the signal would have: KeyboardInterrupt, or exit status 143."""
        if self.signal == signal.SIGINT:
            raise KeyboardInterrupt
        if self.signal is not None:
            raise SystemExit(128 + self.signal)


@contextlib.contextmanager
def stop_requests() -> Iterator[Stop]:
    """Note the first SIGINT or SIGTERM instead of dying of it; the second one is as deadly as ever.

    Signals reach the main thread only; elsewhere nothing is noted.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def note(number: int, frame: FrameType | None) -> None:
        stop.signal = number
        restore()

    for number in SIGNALS:
        signal.signal(number, note)
    try:
        yield stop
    finally:
        restore()
