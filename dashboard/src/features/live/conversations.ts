/**
 * The threads that work in a session at the same time, from its newest calls. Pure.
 */
import type { CallView } from "@/api/types.gen";

export type Conversation = {
  key: string;
  /** Whose thread it is: the client's name, or the provider's where the client said none. */
  who: string;
  /** Whether an agent inside a thread made the calls. */
  isAgent: boolean;
  /** The end of its id: enough to tell it from the others. */
  id: string;
  models: string[];
  calls: number;
  running: number;
  tokens: number;
  costNanoUsd: number | null;
  /** When its newest call began. */
  lastAt: number;
};

const ID_SHOWN = 6;

/** No dash where the end begins in the middle of a word of its own. */
const endOf = (id: string): string => id.slice(-ID_SHOWN).replace(/^[^-_]?[-_]+/, "");

/** Newest first; calls that name no thread are none. */
export const conversations = (calls: readonly CallView[]): Conversation[] => {
  const groups = new Map<string, CallView[]>();
  for (const call of calls) {
    if (call.conversation === null) continue;
    const key = `${call.conversation} ${call.agent ?? ""}`;
    groups.set(key, [...(groups.get(key) ?? []), call]);
  }
  return [...groups]
    .map(([key, own]) => conversation(key, own))
    .sort((a, b) => b.lastAt - a.lastAt || (a.key < b.key ? -1 : 1));
};

const conversation = (key: string, calls: readonly CallView[]): Conversation => {
  const [first] = calls;
  const models = calls
    .map(({ model, requestModel }) => model ?? requestModel)
    .filter((name) => name !== null);
  const priced = calls.map(({ costNanoUsd }) => costNanoUsd).filter((cost) => cost !== null);
  const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
  return {
    key,
    who: first?.client ?? first?.provider ?? "",
    isAgent: (first?.agent ?? null) !== null,
    id: endOf(first?.agent ?? first?.conversation ?? ""),
    models: [...new Set(models)],
    calls: calls.length,
    running: calls.filter(({ outcome }) => outcome === "running").length,
    tokens: sum(calls.map(({ total }) => total ?? 0)),
    costNanoUsd: priced.length === 0 ? null : sum(priced),
    lastAt: Math.max(...calls.map(({ startedAt }) => startedAt)),
  };
};
