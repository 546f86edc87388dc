"""The MCP server of the e-Stat data lake. It imports no Dagster; it talks to it over GraphQL."""
