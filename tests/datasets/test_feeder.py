"""The feeder: order, failures, and that its thread ends."""

import itertools
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from factorgrid.datasets.feeder import Feeder


def feeder_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "factorgrid-feeder"]


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    yield
    assert not feeder_threads()


def double(rows: np.ndarray) -> np.ndarray:
    return rows * 2


def test_chunks_arrive_in_order() -> None:
    with Feeder(double, (np.array([i, i + 1]) for i in range(5))) as chunks:
        assert [chunk.tolist() for chunk in chunks] == [[2 * i, 2 * i + 2] for i in range(5)]
        assert list(chunks) == []


def test_an_endless_source_is_left_early_and_not_read_far_ahead() -> None:
    asked = []

    def source() -> Iterator[np.ndarray]:
        for i in itertools.count():
            asked.append(i)
            yield np.array([i])

    with Feeder(double, source()) as chunks:
        assert next(chunks).tolist() == [0]
        time.sleep(0.2)
        assert len(asked) <= 4  # one used, one ready, one that waits for room


def test_a_failure_in_gather_reaches_the_caller_after_the_good_chunks() -> None:
    def gather(rows: np.ndarray) -> np.ndarray:
        if rows[0] == 2:
            raise OSError("disk gone")
        return rows

    with Feeder(gather, (np.array([i]) for i in range(4))) as chunks:
        assert [next(chunks).item(), next(chunks).item()] == [0, 1]
        for _ in range(2):  # and again, rather than waiting for ever
            with pytest.raises(OSError, match="disk gone"):
                next(chunks)


def test_a_failure_in_the_source_reaches_the_caller() -> None:
    def source() -> Iterator[np.ndarray]:
        yield np.array([1])
        raise ValueError("no more rows")

    with Feeder(double, source()) as chunks, pytest.raises(ValueError, match="no more rows"):
        list(chunks)


def test_gathering_happens_while_a_chunk_is_used() -> None:
    def slow(rows: np.ndarray) -> np.ndarray:
        time.sleep(0.1)
        return rows

    with Feeder(slow, (np.array([i]) for i in range(6))) as chunks:
        start = time.perf_counter()
        for _ in chunks:
            time.sleep(0.1)
    assert time.perf_counter() - start < 1.1  # 1.2 s one after the other; 0.7 s overlapped


def test_leaving_by_an_exception_stops_the_thread() -> None:
    def use() -> None:
        with Feeder(double, (np.array([i]) for i in itertools.count())) as chunks:
            next(chunks)
            raise KeyError

    with pytest.raises(KeyError):
        use()
