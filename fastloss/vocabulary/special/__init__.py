"""Words made of simpler words: one text for NumPy and for Numba, and that of ``csrc/special``.

Methods and errors are stated there. A module's ``__all__`` names its words of the vocabulary, to
which the other functions are parts.
"""

from . import exponential, gamma, normal, two_word

__all__ = ["MODULES"]

MODULES = two_word, exponential, normal, gamma
"""Each after those that it uses."""
