"""`python -m benchmarks`: every benchmark at its default size."""

from benchmarks import bridge, fetch, pipeline

pipeline.main()
fetch.main()
bridge.main()
