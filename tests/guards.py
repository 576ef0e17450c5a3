"""Memory of which every byte is watched, to see who writes where."""

import numpy as np

GUARD = 256
"""Bytes on each side of an array that nobody may change."""


class Watched:
    """An array in the middle of bytes that remember what they were.

    Parameters
    ----------
    shape : tuple of int
    dtype : dtype
    strides : tuple of int
        In bytes; any that NumPy can hold, also negative, 0 or less than an item.
    offset : int
        Bytes from a cache line to the array's lowest byte.
    """

    def __init__(self, shape, dtype, strides, offset=0):
        dtype = np.dtype(dtype)
        steps = [s * (n - 1) if n else 0 for s, n in zip(strides, shape, strict=True)]
        below, above = -sum(s for s in steps if s < 0), sum(s for s in steps if s > 0)
        self.bytes = np.full(below + above + dtype.itemsize + 2 * GUARD + 128, 0xA5, np.uint8)
        line = -(self.bytes.ctypes.data + GUARD) % 64
        self.start = GUARD + line + offset + below
        self.array = self.view(shape, dtype, strides)
        self.keep()

    def view(self, shape, dtype, strides, shift=0):
        """An array over the same memory, ``shift`` bytes from where this one starts."""
        return np.ndarray(shape, dtype, self.bytes, self.start + shift, strides)

    def keep(self):
        """Remembers what the bytes are now."""
        self.kept = self.bytes.copy()

    def strays(self, *outputs):
        """How many bytes have changed that are part of no output."""
        changed = self.bytes != self.kept
        for out in outputs:
            if out.size and np.may_share_memory(out, self.bytes):
                first = out.ctypes.data - self.bytes.ctypes.data
                strides = (*out.strides, 1)
                items = np.lib.stride_tricks.as_strided(
                    changed[first:], (*out.shape, out.itemsize), strides
                )
                items[...] = False
        return int(changed.sum())
