/** Some of the tools that Moonlock knows. */
import type { Tool } from "../src/api/types.gen";
import type { Asked, Reply } from "./rest";

const tools = (proxy: string): Tool[] => [
  {
    id: "claude-code",
    name: "Claude Code",
    clients: ["Claude Code", "claude-code"],
    file: null,
    language: "sh",
    text: `export ANTHROPIC_BASE_URL=${proxy}/anthropic`,
    undo: "unset ANTHROPIC_BASE_URL",
    note: "ENABLE_TOOL_SEARCH=true brings its tool search back, which it leaves out when it talks to an address of your own.",
  },
  {
    id: "codex",
    name: "Codex",
    clients: ["Codex", "codex"],
    file: "~/.codex/config.toml",
    language: "toml",
    text: `openai_base_url = "${proxy}/openai/v1"`,
    undo: "Remove that line.",
    note: null,
  },
  {
    id: "opencode",
    name: "opencode",
    clients: ["opencode"],
    file: "opencode.json",
    language: "json",
    text: `{\n  "provider": {\n    "anthropic": { "options": { "baseURL": "${proxy}/anthropic/v1" } },\n    "openai": { "options": { "baseURL": "${proxy}/openai/v1" } }\n  }\n}`,
    undo: "Remove the two `baseURL`s.",
    note: null,
  },
  {
    id: "openai-python",
    name: "OpenAI SDK (Python)",
    clients: ["OpenAI Python"],
    file: null,
    language: "python",
    text: `client = OpenAI(base_url="${proxy}/openai/v1")`,
    undo: "Leave `base_url` out.",
    note: null,
  },
  {
    id: "curl",
    name: "curl",
    clients: ["curl"],
    file: null,
    language: "sh",
    text: `curl ${proxy}/openai/v1/chat/completions \\\n  -H "authorization: Bearer $OPENAI_API_KEY" -H 'content-type: application/json' \\\n  -d '{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}'`,
    undo: "Use the provider's own address.",
    note: null,
  },
];

export const connect = ({ params }: Asked): Reply => {
  const session = params.get("session");
  const proxyUrl = `http://127.0.0.1:3002${session ? `/s/${encodeURIComponent(session)}` : ""}`;
  return [
    200,
    { proxyUrl, variables: { ANTHROPIC_BASE_URL: `${proxyUrl}/anthropic` }, tools: tools(proxyUrl) },
  ];
};
