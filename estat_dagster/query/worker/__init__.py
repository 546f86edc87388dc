"""DuckDB in a process of its own: what runs there (`session`, `__main__`), what goes between (`wire`), and the process.

DuckDB looks at the clock and at its memory between its steps only, and one step can take both without end. A process
can be killed at any moment, and takes its memory along. It starts without the environment, and what it imports is
DuckDB and Arrow.
"""
