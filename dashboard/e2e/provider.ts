/**
 * A provider that answers chat completions word for word, and a client that asks for them as OpenAI's SDK does.
 */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Provider = {
  url: string;
  /** The next answer stops in the middle and stays open. */
  hold: () => void;
  /** How often it was asked. */
  asked: () => number;
  stop: () => Promise<void>;
};

/** What every whole answer says it used. */
export const USAGE = { prompt_tokens: 1_000, completion_tokens: 234, total_tokens: 1_234 };

const chunk = (fields: object): string =>
  `data: ${JSON.stringify({ id: "chatcmpl-1", object: "chat.completion.chunk", model: "gpt-5-mini", ...fields })}\n\n`;

const word = (content: string): string =>
  chunk({ choices: [{ index: 0, delta: { content }, finish_reason: null }] });

export const startProvider = async (): Promise<Provider> => {
  let holds = false;
  let asked = 0;
  const answer = (response: ServerResponse): void => {
    response.writeHead(200, { "content-type": "text/event-stream", "x-request-id": "req_1" });
    response.write(word("Once "));
    response.write(word("upon a time."));
    if (holds) {
      holds = false;
      return;
    }
    response.write(chunk({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }));
    response.write(chunk({ choices: [], usage: USAGE }));
    response.end("data: [DONE]\n\n");
  };
  const server = createServer((request, response) => {
    asked += 1;
    request.resume().on("end", () => answer(response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold: () => {
      holds = true;
    },
    asked: () => asked,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

/** Streams an answer through the proxy to its end; what came, as text. */
export const complete = async (proxy: string): Promise<string> => {
  const response = await fetch(`${proxy}/openai/v1/chat/completions`, {
    method: "POST",
    headers: {
      accept: "application/json",
      "content-type": "application/json",
      authorization: "Bearer sk-none",
      "user-agent": "OpenAI/JS 6.9.1",
      "x-stainless-lang": "js",
      "x-stainless-package-version": "6.9.1",
      "x-stainless-runtime": "node",
    },
    body: JSON.stringify({
      model: "gpt-5-mini",
      messages: [{ role: "user", content: "Tell me a story." }],
      stream: true,
      stream_options: { include_usage: true },
    }),
  });
  return response.text();
};
