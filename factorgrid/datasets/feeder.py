"""Rows of a host table, gathered in the background ahead of use.

    with Feeder(table.gather, row_chunks) as chunks:
        for raw in chunks:  # on the device, in the order of row_chunks
            state = train(state, raw)

While one chunk is being used, the next waits on the device and the one after is being gathered.
"""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import NamedTuple

import jax
from jaxtyping import Array, Int, Shaped
from numpy import ndarray


class _End(NamedTuple):
    """The last item: how the background thread ended."""

    failure: BaseException | None


class Feeder:
    """An iterator over gathered chunks, to be used as a context manager; leaving it stops the thread.

    Args:
        gather: rows of any shape -> stored rows [*rows.shape, ...]; runs in the background thread.
        chunks: row numbers of one chunk after the other; iterated in the background thread, and may be endless.
        ahead: how many finished chunks may wait.

    An exception in `gather` or `chunks` is raised by the next `next`, as it was.
    """

    def __init__(
        self,
        gather: Callable[[Int[ndarray, "..."]], Shaped[ndarray, "..."]],
        chunks: Iterable[Int[ndarray, "..."]],
        *,
        ahead: int = 1,
    ) -> None:
        self._gather, self._chunks = gather, chunks
        self._ready: queue.Queue[Array | _End] = queue.Queue(maxsize=ahead)
        self._stop = threading.Event()
        self._finished: _End | None = None
        self._thread = threading.Thread(target=self._work, name="factorgrid-feeder", daemon=True)

    def __enter__(self) -> "Feeder":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Array]:
        return self

    def __next__(self) -> Array:
        item = self._finished or self._ready.get()
        if not isinstance(item, _End):
            return item
        self._finished = item
        if item.failure is not None:
            raise item.failure
        raise StopIteration

    def close(self) -> None:
        """Stop the thread and wait for it. Chunks that were not taken are dropped."""
        self._stop.set()
        self._finished = self._finished or _End(None)
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        try:
            for rows in self._chunks:
                if self._stop.is_set() or not self._put(jax.device_put(self._gather(rows))):
                    return
        except BaseException as failure:  # handed to the caller, whatever it is
            self._put(_End(failure))
        else:
            self._put(_End(None))

    def _put(self, item: "Array | _End") -> bool:
        """Wait for room, but not after `close`; whether the item was put."""
        while not self._stop.is_set():
            try:
                self._ready.put(item, timeout=0.05)
            except queue.Full:
                continue
            return True
        return False
