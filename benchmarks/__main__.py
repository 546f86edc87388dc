"""`python -m benchmarks`: every benchmark at its default size."""

from benchmarks.pipeline import main

main()
