"""Batches that another thread reads, until Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable, Iterator
from queue import SimpleQueue
from typing import Any

from .._evaluation._batch import Batch

__all__ = ["Reading"]

_AHEAD = 2


class Reading:
    """Batches in their order.

    Ctrl-C ends them as if there were no more: what is made of a batch is made whole. The first one
    counts at once even while a file system keeps a read waiting, as another thread waits for it; a
    second one is Python's.

    Attributes
    ----------
    interrupted : bool
        Whether Ctrl-C ended them.
    """

    def __init__(self, batches: Iterable[Batch]) -> None:
        self.interrupted = False
        self._batches = batches
        self._room = threading.Semaphore(_AHEAD)
        self._read: SimpleQueue[Batch | BaseException | None] = SimpleQueue()

    def __iter__(self) -> Iterator[Batch]:
        before = signal.signal(signal.SIGINT, self._interrupt)
        threading.Thread(target=self._fill, daemon=True).start()
        try:
            while (batch := self._read.get()) is not None and not self.interrupted:
                if isinstance(batch, BaseException):
                    raise batch
                self._room.release()
                yield batch
        finally:
            signal.signal(signal.SIGINT, before)

    def _fill(self) -> None:
        try:
            for batch in self._batches:
                self._room.acquire()
                self._read.put(batch)
            self._read.put(None)
        except BaseException as error:  # raised where the batches are used
            self._read.put(error)

    def _interrupt(self, *_: Any) -> None:
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True
        self._read.put(None)  # wakes whoever waits
