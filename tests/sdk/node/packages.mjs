// The official Node packages, unmodified: one case after the other, each telling what its package was told.
//
// Usage: packages.mjs PROXY_URL [FILTER]. The words in which they tell it are those of `told` in check.py.

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

import Anthropic from "@anthropic-ai/sdk";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { GoogleGenAI, Modality } from "@google/genai";
import { Mistral } from "@mistralai/mistralai";
import { embed, generateText, streamText } from "ai";
import { CohereClient, CohereClientV2 } from "cohere-ai";
import Groq from "groq-sdk";
import { Ollama } from "ollama";
import OpenAI, { AzureOpenAI, toFile } from "openai";
import { ResponsesWS } from "openai/resources/responses/ws";

const proxy = process.argv[2];
const only = (process.argv[3] ?? "").toLowerCase();
const apiKey = "test-key";
const prompt = "Why does the parser fail on nested calls?";
const messages = [{ role: "user", content: prompt }];
const cases = [];

/** A function that makes calls and returns, for each row that they leave, what the package was told. */
const add = (client, from, name, run, { named = true } = {}) => cases.push({ client, from, name, run, named });

async function all(stream) {
  const items = [];
  for await (const item of stream) items.push(item);
  return items;
}

const last = async (stream) => (await all(stream)).at(-1);

function check(holds, what) {
  if (!holds) throw new Error(what);
}

// OpenAI, and who speaks its chat completions.

const openai = new OpenAI({ baseURL: `${proxy}/openai/v1`, apiKey });

/** `prompt_tokens` holds what the cache served and kept. */
const chat = ({ model, usage }) => {
  const { cached_tokens: read, cache_write_tokens: written } = usage.prompt_tokens_details;
  return {
    model,
    input: usage.prompt_tokens - read - (written ?? 0),
    cacheRead: read,
    cacheWrite: written ?? null,
    output: usage.completion_tokens,
    reasoning: usage.completion_tokens_details.reasoning_tokens,
    total: usage.total_tokens,
  };
};

const responses = ({ model, usage }) => {
  const { cached_tokens: read, cache_write_tokens: written } = usage.input_tokens_details;
  return {
    model,
    input: usage.input_tokens - read - written,
    cacheRead: read,
    cacheWrite: written,
    output: usage.output_tokens,
    reasoning: usage.output_tokens_details.reasoning_tokens,
    total: usage.total_tokens,
  };
};

const media = (model, usage) => ({
  model,
  input: usage.input_tokens,
  output: usage.output_tokens,
  total: usage.total_tokens,
});

add("OpenAI Node", "openai", "chat", async () => [
  chat(await openai.chat.completions.create({ model: "gpt-5.6-mini", messages })),
]);

add("OpenAI Node", "openai", "chat, streamed, usage asked", async () => {
  const asks = { stream: true, stream_options: { include_usage: true } };
  return [chat(await last(await openai.chat.completions.create({ model: "gpt-4o-mini", messages, ...asks })))];
});

add("OpenAI Node", "openai", "chat, streamed, usage not asked", async () => {
  // Moonlock asks in its place and keeps the answer from it.
  const chunks = await all(await openai.chat.completions.create({ model: "gpt-4o-mini", messages, stream: true }));
  check(
    chunks.every((chunk) => chunk.choices.length > 0 && !chunk.usage),
    "an event has reached the client that it did not ask for",
  );
  return [{ model: chunks[0].model }];
});

add("OpenAI Node", "openai", "responses", async () => [
  responses(await openai.responses.create({ model: "gpt-5-mini", input: prompt })),
]);

add("OpenAI Node", "openai", "responses, streamed", async () => {
  const stream = openai.responses.stream({ model: "gpt-5-mini", input: prompt });
  return [responses(await stream.finalResponse())];
});

// Realtime is left out: this package insists on TLS for that WebSocket, whatever the base URL says.

/** Its WebSockets say of no client that they are its. */
const unnamed = { named: false };

const overWebSocket = async () => {
  const socket = new ResponsesWS(openai);
  const told = [];
  await new Promise((done, failed) => {
    const say = () => socket.send({ type: "response.create", model: "gpt-5-mini", input: prompt });
    socket.on("error", failed);
    socket.on("response.completed", ({ response }) => {
      told.push(responses(response));
      if (told.length === 2) done();
      else say();
    });
    say();
  });
  socket.close();
  return told;
};
add("OpenAI Node", "openai", "responses, over a WebSocket, two turns", overWebSocket, unnamed);

add("OpenAI Node", "openai", "embeddings", async () => {
  const { model, usage } = await openai.embeddings.create({ model: "text-embedding-3-small", input: prompt });
  return [{ model, input: usage.prompt_tokens, total: usage.total_tokens }];
});

add("OpenAI Node", "openai", "images.generate", async () => [
  media("gpt-image-1", (await openai.images.generate({ model: "gpt-image-1", prompt })).usage),
]);

add("OpenAI Node", "openai", "audio.transcriptions", async () => {
  const file = await toFile(Buffer.from("RIFF"), "a.wav");
  const { usage } = await openai.audio.transcriptions.create({ model: "gpt-4o-transcribe", file });
  return [media("gpt-4o-transcribe", usage)];
});

add("OpenAI Node", "openai", "Azure: chat at a deployment", async () => {
  const azure = new AzureOpenAI({ endpoint: `${proxy}/azure/mine`, apiKey, apiVersion: "2025-04-01-preview" });
  return [chat(await azure.chat.completions.create({ model: "gpt-4o", messages }))];
});

const groq = new Groq({ baseURL: `${proxy}/groq`, apiKey });

add("Groq Node", "groq-sdk", "chat", async () => [
  chat(await groq.chat.completions.create({ model: "openai/gpt-oss-20b", messages })),
]);

add("Groq Node", "groq-sdk", "chat, streamed", async () => {
  const { model, x_groq } = await last(
    await groq.chat.completions.create({ model: "openai/gpt-oss-20b", messages, stream: true }),
  );
  return [chat({ model, usage: x_groq.usage })];
});

const mistral = new Mistral({ serverURL: `${proxy}/mistral`, apiKey });
const mistralChat = ({ model, usage }) => ({ model, output: usage.completionTokens, total: usage.totalTokens });

add("Mistral Node", "@mistralai/mistralai", "chat", async () => [
  mistralChat(await mistral.chat.complete({ model: "mistral-small-latest", messages })),
]);

add("Mistral Node", "@mistralai/mistralai", "chat, streamed", async () => [
  mistralChat((await last(await mistral.chat.stream({ model: "mistral-small-latest", messages }))).data),
]);

add("Mistral Node", "@mistralai/mistralai", "embeddings", async () => {
  const { model, usage } = await mistral.embeddings.create({ model: "mistral-embed", inputs: [prompt] });
  return [{ model, input: usage.promptTokens, total: usage.totalTokens }];
});

// Anthropic.

const anthropic = new Anthropic({ baseURL: `${proxy}/anthropic`, apiKey });
const claude = { model: "claude-sonnet-4-6", max_tokens: 500, messages };

const message = ({ model, usage }) => ({
  model,
  input: usage.input_tokens,
  cacheRead: usage.cache_read_input_tokens,
  cacheWrite: usage.cache_creation_input_tokens,
  output: usage.output_tokens,
});

add("Anthropic Node", "@anthropic-ai/sdk", "messages", async () => [message(await anthropic.messages.create(claude))]);

add("Anthropic Node", "@anthropic-ai/sdk", "messages, streamed", async () => [
  message(await anthropic.messages.stream(claude).finalMessage()),
]);

add("Anthropic Node", "@anthropic-ai/sdk", "messages.countTokens: no row", async () => {
  await anthropic.messages.countTokens({ model: claude.model, messages });
  return [];
});

// Google.

const google = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: `${proxy}/gemini` } });
const flash = { model: "gemini-2.5-flash", contents: prompt };

const content = ({ modelVersion, usageMetadata: usage }) => ({
  model: modelVersion,
  input: usage.promptTokenCount - usage.cachedContentTokenCount,
  cacheRead: usage.cachedContentTokenCount,
  output: usage.candidatesTokenCount + usage.thoughtsTokenCount,
  reasoning: usage.thoughtsTokenCount,
  total: usage.totalTokenCount,
});

add("Google GenAI", "@google/genai", "generateContent", async () => [
  content(await google.models.generateContent(flash)),
]);

add("Google GenAI", "@google/genai", "streamGenerateContent", async () => [
  content(await last(await google.models.generateContentStream(flash))),
]);

add("Google GenAI", "@google/genai", "countTokens: no row", async () => {
  await google.models.countTokens(flash);
  return [];
});

add("Google GenAI", "@google/genai", "Live, two turns", async () => {
  const told = [];
  let live;
  await new Promise((done, failed) => {
    const say = () => live.sendClientContent({ turns: prompt, turnComplete: true });
    const onmessage = ({ setupComplete, usageMetadata: usage }) => {
      if (setupComplete) setImmediate(say);
      if (!usage) return;
      told.push({
        model: "gemini-live-2.5-flash",
        input: usage.promptTokenCount - usage.cachedContentTokenCount,
        cacheRead: usage.cachedContentTokenCount,
        output: usage.responseTokenCount + usage.thoughtsTokenCount,
        reasoning: usage.thoughtsTokenCount,
      });
      if (told.length === 2) done();
      else say();
    };
    google.live
      .connect({
        model: "gemini-live-2.5-flash",
        config: { responseModalities: [Modality.TEXT] },
        callbacks: { onmessage, onerror: failed, onclose: failed },
      })
      .then((session) => (live = session), failed);
  });
  live.close();
  return told;
});

// Cohere. The parts are those of `tokens`; what is billed leaves the provider's template out.

const cohereV1 = new CohereClient({ environment: `${proxy}/cohere`, token: apiKey });
const cohereV2 = new CohereClientV2({ environment: `${proxy}/cohere`, token: apiKey });
const command = "command-a-03-2025";

const cohereChat = ({ inputTokens, outputTokens }) => ({
  model: command,
  output: outputTokens,
  total: inputTokens + outputTokens,
});

add("Cohere Node", "cohere-ai", "v1 chat", async () => [
  cohereChat((await cohereV1.chat({ model: command, message: prompt })).meta.tokens),
]);

add("Cohere Node", "cohere-ai", "v1 chat, streamed", async () => [
  cohereChat((await last(await cohereV1.chatStream({ model: command, message: prompt }))).response.meta.tokens),
]);

add("Cohere Node", "cohere-ai", "v2 chat", async () => [
  cohereChat((await cohereV2.chat({ model: command, messages })).usage.tokens),
]);

add("Cohere Node", "cohere-ai", "v2 chat, streamed", async () => {
  const events = await all(await cohereV2.chatStream({ model: command, messages }));
  return [cohereChat(events.find(({ type }) => type === "message-end").delta.usage.tokens)];
});

add("Cohere Node", "cohere-ai", "v2 rerank: search units, no tokens", async () => {
  await cohereV2.rerank({ model: "rerank-v3.5", query: prompt, documents: ["a"] });
  return [{ model: "rerank-v3.5", total: null }];
});

// Ollama.

const ollama = new Ollama({ host: `${proxy}/ollama` });
const ollamaReply = ({ model, prompt_eval_count: input, eval_count: output }) => ({ model, input, output });

add("Ollama Node", "ollama", "chat", async () => [ollamaReply(await ollama.chat({ model: "llama3.2", messages }))]);

add("Ollama Node", "ollama", "chat, streamed", async () => [
  ollamaReply(await last(await ollama.chat({ model: "llama3.2", messages, stream: true }))),
]);

add("Ollama Node", "ollama", "generate, streamed", async () => [
  ollamaReply(await last(await ollama.generate({ model: "llama3.2", prompt, stream: true }))),
]);

add("Ollama Node", "ollama", "embed", async () => {
  const { model, prompt_eval_count } = await ollama.embed({ model: "nomic-embed-text", input: prompt });
  return [{ model, input: prompt_eval_count }];
});

// The Vercel AI SDK. Its totals are its own: the parts are what it was told.

const vercel = ({ response, usage, totalUsage = usage }) => ({
  model: response.modelId,
  input: totalUsage.inputTokenDetails.noCacheTokens,
  cacheRead: totalUsage.inputTokenDetails.cacheReadTokens ?? null,
  cacheWrite: totalUsage.inputTokenDetails.cacheWriteTokens ?? null,
  output: totalUsage.outputTokens,
});

const vercelOpenAI = createOpenAI({ baseURL: `${proxy}/openai/v1`, apiKey });
const vercelAnthropic = createAnthropic({ baseURL: `${proxy}/anthropic/v1`, apiKey });
const vercelGoogle = createGoogleGenerativeAI({ baseURL: `${proxy}/gemini/v1beta`, apiKey });
for (const [name, provider, model] of [
  ["openai", vercelOpenAI, "gpt-5-mini"],
  ["anthropic", vercelAnthropic, "claude-sonnet-4-6"],
  ["google", vercelGoogle, "gemini-2.5-flash"],
]) {
  const from = `@ai-sdk/${name}`;
  add("Vercel AI SDK", from, `${name}: generateText`, async () => [
    vercel(await generateText({ model: provider(model), prompt })),
  ]);
  add("Vercel AI SDK", from, `${name}: streamText`, async () => {
    const result = streamText({ model: provider(model), prompt });
    await result.consumeStream();
    return [vercel({ response: await result.response, usage: await result.usage })];
  });
}
add("Vercel AI SDK", "@ai-sdk/openai", "openai: streamText over chat", async () => {
  const result = streamText({ model: vercelOpenAI.chat("gpt-4o-mini"), prompt });
  await result.consumeStream();
  return [vercel({ response: await result.response, usage: await result.usage })];
});
add("Vercel AI SDK", "@ai-sdk/openai", "openai: embed", async () => {
  const { usage } = await embed({ model: vercelOpenAI.embedding("text-embedding-3-small"), value: prompt });
  return [{ model: "text-embedding-3-small", input: usage.tokens }];
});

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
for (const { client, from, name, run, named } of cases) {
  if (!`${client} ${name}`.toLowerCase().includes(only)) continue;
  const manifest = new URL(`./node_modules/${from}/package.json`, import.meta.url);
  const { version } = JSON.parse(readFileSync(manifest, "utf8"));
  let said;
  try {
    said = { told: await run() };
  } catch (error) {
    said = { failed: String(error?.stack ?? error).split("\n", 3).join(" ") };
  }
  process.stdout.write(`${JSON.stringify({ client, version, case: name, named, ...said })}\n`);
  // The rows are looked at before the next case begins.
  await answers.next();
}
process.exit(0);
