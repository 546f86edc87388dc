// The bridge as a client of the TypeScript SDK, which most editors have inside, meets it: node client.mjs COMMAND ARGS...
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const [command, ...args] = process.argv.slice(2);
const transport = new StdioClientTransport({ command, args, env: process.env, stderr: "inherit" });
const client = new Client({ name: "typescript", version: "1" });
await client.connect(transport);

const { tools } = await client.listTools();
const tables = await client.callTool({ name: "list_tables", arguments: {} });
const found = await client.callTool({ name: "search_estat_data", arguments: { query: "人口", max_results: 3 } });
const wrong = await client.callTool({ name: "describe_dataset", arguments: { dataset_id: "12" } });
const { resources } = await client.listResources();
const { prompts } = await client.listPrompts();
await client.close();

console.log(
  JSON.stringify({
    protocol: transport.protocolVersion ?? client.getServerVersion(),
    tools: tools.map((tool) => tool.name),
    tables: tables.structuredContent,
    found: found.content[0].text,
    wrong: { isError: wrong.isError, kind: wrong.structuredContent?.error },
    resources: resources.length,
    prompts: prompts.length,
  }),
);
