"""The MCP server: an assistant searches e-Stat, starts materializations, follows them, and queries.

`python -m mcp_bridge` serves on stdio. Whatever materializes goes through Dagster's GraphQL API; what only reads uses
the project's own packages, imported when a tool first needs them. Dagster itself is never imported.
"""
