"""Benchmarks of fastloss: see README.md in this folder."""
