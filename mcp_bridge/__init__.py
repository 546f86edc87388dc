"""The place of the MCP server, which will talk to Dagster over GraphQL and import none of it. It holds nothing yet."""
