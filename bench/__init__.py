"""Benchmarks: each prints its figure beside the limit it is compared with, as a ratio measured in the same run."""
