"""The version of fastloss."""

__version__ = "0.1.0.dev0"
