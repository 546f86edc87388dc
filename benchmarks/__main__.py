"""`python -m benchmarks`: every benchmark at its default size."""

from benchmarks import fetch, pipeline

pipeline.main()
fetch.main()
