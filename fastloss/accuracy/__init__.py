"""How far from the truth losses are: ``python -m fastloss.accuracy``.

Formulas are held against their ``definition`` at hundreds of bits, at points that are hard on
purpose, on every backend and instruction set of the machine; other libraries at the same points.
"""

try:
    import mpmath  # noqa: F401  (said here once, for all modules)
except ImportError as error:
    raise ImportError("fastloss.accuracy needs mpmath: pip install fastloss[accuracy]") from error
