/**
 * Answers of the API whose shape is told by `/api/openapi.json` alone. The tests against the real program read them.
 */

/** One tool of `GET /api/connect`. */
export type Tool = {
  id: string;
  name: string;
  /** What its calls' `client` may be. */
  clients: string[];
  /** The file that `text` goes into; `null` where it is typed or said in code. */
  file: string | null;
  /** What `text` is written in: `sh`, `toml`, `json`, `python`, `javascript` or `text`. */
  language: string;
  text: string;
  undo: string;
  note: string | null;
};

/** `GET /api/connect`. */
export type Connect = {
  /** The proxy's address, with the session's prefix where one was asked for. */
  proxyUrl: string;
  variables: Record<string, string>;
  tools: Tool[];
};
