/** A year of invented use, the same at every start. */
import type { Totals, UsageGroup, UsageKeys } from "../src/api/types.gen";
import { noTotals } from "../src/store/live-reducer";
import type { Asked, Reply } from "./rest";

const HOUR = 60 * 60_000;

const models = [
  { provider: "anthropic", model: "claude-sonnet-4-5", client: "claude-code", share: 1, price: 900 },
  { provider: "openai", model: "gpt-5.1-codex", client: "codex", share: 0.5, price: 500 },
  { provider: "anthropic", model: "claude-haiku-4-5", client: "claude-code", share: 0.25, price: 250 },
  { provider: "gemini", model: "gemini-3-pro", client: null, share: 0.12, price: 700 },
  { provider: "ollama", model: "qwen3-coder:30b", client: "opencode", share: 0.1, price: null },
] as const;

type Row = UsageKeys & { at: number; totals: Totals };

/** From 0 to 1, by the place alone. */
const noise = (seed: number): number => {
  const value = Math.sin(seed * 12.9898) * 43_758.5453;
  return value - Math.floor(value);
};

let made: { last: number; rows: Row[] } = { last: 0, rows: [] };

const rowsOf = (now: number): Row[] => {
  const last = Math.floor(now / HOUR);
  if (made.last === last) return made.rows;
  const rows: Row[] = [];
  made = { last, rows };
  for (let hour = last - 370 * 24; hour <= last; hour += 1) {
    const date = new Date(hour * HOUR);
    const isWork = date.getHours() >= 9 && date.getHours() < 19;
    const isWeekend = date.getDay() % 6 === 0;
    const busy = isWork ? (isWeekend ? 0.12 : 0.85) : isWeekend ? 0.01 : 0.06;
    models.forEach(({ provider, model, client, share, price }, index) => {
      if (noise(hour * 7 + index) > busy * (0.4 + share)) return;
      const weight = share * noise(hour * 3 + index + 0.5);
      const part = (most: number): number => Math.floor(most * weight);
      const [input, cacheRead, output] = [
        part(60_000),
        part(provider === "ollama" ? 0 : 900_000),
        part(38_000),
      ];
      const cacheWrite = provider === "anthropic" ? part(70_000) : 0;
      const total = input + cacheRead + cacheWrite + output;
      const requests = 1 + part(40);
      const totals: Totals = {
        ...noTotals,
        requests,
        errors: noise(hour + index * 31) > 0.9 ? 1 : 0,
        input,
        cacheRead,
        cacheWrite,
        output,
        reasoning: provider === "ollama" ? 0 : Math.floor(output * 0.35),
        total,
        costNanoUsd: price === null ? null : total * price,
        unpricedTokens: price === null ? total : 0,
        unpricedRequests: price === null ? requests : 0,
      };
      const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()]
        .map((value) => String(value).padStart(2, "0"))
        .join("-");
      rows.push({
        at: hour * HOUR,
        totals,
        provider,
        model,
        client,
        session: null,
        operation: provider === "openai" ? "responses" : "messages",
        source: provider === "ollama" ? "estimated" : "exact",
        outcome: "complete",
        hour: hour * HOUR,
        day,
        weekday: ((date.getDay() + 6) % 7) + 1,
        hourOfDay: date.getHours(),
      });
    });
  }
  return rows;
};

const PARTS = Object.keys(noTotals) as (keyof Totals)[];

/** Adds to `sum` in place: a year has many hours. */
const add = (sum: Totals, more: Totals): void => {
  for (const part of PARTS) {
    if (part === "costNanoUsd" && more[part] === null) continue;
    sum[part] = (sum[part] ?? 0) + (more[part] ?? 0);
  }
};

const TIMES = ["hour", "day", "weekday", "hourOfDay"];

export const usage = ({ params, scene }: Asked): Reply => {
  const by = (params.get("groupBy") ?? "").split(",").filter(Boolean) as (keyof UsageKeys)[];
  const [from, to] = [Number(params.get("from") ?? 0), Number(params.get("to") ?? Infinity)];
  const all = scene.sessions.length === 0 ? [] : rowsOf(Date.now());
  const rows = all.filter(({ at }) => at >= from && at < to);
  const sums = new Map<string, UsageKeys & Totals>();
  const totals = { ...noTotals };
  for (const row of rows) {
    const key = by.map((name) => row[name]).join("\n");
    const known = sums.get(key) ?? {
      ...noTotals,
      ...(Object.fromEntries(by.map((name) => [name, row[name]])) as UsageKeys),
    };
    sums.set(key, known);
    add(known, row.totals);
    add(totals, row.totals);
  }
  const groups = [...sums.values()].map((group): UsageGroup => {
    const prompt = group.input + group.cacheRead + group.cacheWrite;
    return {
      ...group,
      durationMs: group.requests * 6_400,
      cacheHitShare: prompt === 0 ? null : group.cacheRead / prompt,
      pricedShare: 1 - group.unpricedTokens / group.total,
      outputPerSecond: group.output / group.requests / 6.4,
      durationP50Ms: 5_100,
      durationP90Ms: 14_800,
      durationP99Ms: 41_000,
      ttftP50Ms: 640,
      ttftP90Ms: 1_900,
      ttftP99Ms: 5_200,
    };
  });
  const isByTime = by.some((name) => TIMES.includes(name));
  const sorted = groups.sort((a, b) => (isByTime ? 0 : b.total - a.total));
  return [
    200,
    {
      period: "all",
      timeZone: params.get("timeZone"),
      from: params.has("from") ? from : null,
      to: params.has("to") ? to : null,
      totals,
      groups: sorted,
    },
  ];
};
