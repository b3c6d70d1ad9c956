"""Benchmarks of the product, each beside a plain reference measured in the same run."""
