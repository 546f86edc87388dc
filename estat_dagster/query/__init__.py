"""SQL over the lake: what may be asked, and who answers it.

Import the modules directly: `engine` for the interface, `guard` for what is allowed, `embedded` for the engine that
needs nothing but Python.
"""
