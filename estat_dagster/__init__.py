"""Japan's official statistics as rows that SQL can ask: e-Stat -> records -> lake -> query.

Import the submodules directly; this package imports nothing, so that a command starts fast.
"""
