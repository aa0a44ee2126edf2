/** Settings, budgets and how good estimates are. */
import type { BudgetView, CalibrationView, SettingSource, SettingView } from "../src/api/types.gen";
import type { Asked, Reply } from "./rest";
import { newId, noTotals, type Scene } from "./scene";

const FILE = "/home/ada/.config/moonlock/config.toml";

const setting = (
  name: string,
  value: unknown,
  usual: unknown,
  meaning: string,
  source: SettingSource = { kind: "default" },
  [variable = null, flag = null]: (string | null)[] = [],
): SettingView => ({
  name,
  value,
  default: usual,
  source,
  meaning,
  variable,
  flag,
  needsRestart: !name.startsWith("sessions"),
  changeable: !/^(server\.(host|allow)|store\.path|mounts|notify)/.test(name),
  pending: false,
});

const settings = [
  setting(
    "prices[0]",
    { model: "qwen3-coder*", provider: "ollama", input: "0.10", output: "0.40" },
    null,
    "A price of your own, before the price list.",
    { kind: "file", file: FILE, line: 21 },
  ),
  setting(
    "server.host",
    "127.0.0.1",
    "127.0.0.1",
    "Where to listen. Only loopback addresses are accepted.",
    undefined,
    ["HOST", "--host"],
  ),
  setting(
    "server.port",
    3101,
    3001,
    "The dashboard, the API, the WebSocket.",
    { kind: "environment", variable: "PORT" },
    ["PORT", "--port"],
  ),
  setting("server.proxy_port", 3002, 3002, "The proxy and nothing else.", undefined, [
    "PROXY_PORT",
    "--proxy-port",
  ]),
  setting(
    "store.path",
    "/home/ada/.local/share/moonlock/moonlock.db",
    "",
    "The database; empty is the platform's data directory.",
    undefined,
    ["DB_PATH", "--db"],
  ),
  setting(
    "store.durability",
    "full",
    "normal",
    "What a commit survives, and whether a reply's last bytes wait for it.",
    { kind: "file", file: FILE, line: 4 },
  ),
  setting("sessions.auto", true, false, "Begin a session by itself with the first call that has none.", {
    kind: "file",
    file: FILE,
    line: 7,
  }),
  setting("sessions.idle_minutes", 30, 30, "End it, at its last call, after so many minutes without one."),
  setting(
    "backup.daily",
    true,
    true,
    "Whether a copy of the database is made every day while Moonlock runs.",
  ),
  setting("backup.keep_days", 7, 7, "How many days a daily copy is kept."),
  setting(
    "backup.directory",
    "/home/ada/.local/share/moonlock/backups",
    "",
    'Where the copies are; empty is the directory "backups" beside the database.',
  ),
  setting(
    "estimates.enabled",
    true,
    true,
    "Whether what a provider does not say is estimated from the call's text.",
  ),
  setting(
    "mounts.openai.upstream",
    "https://•••@gateway.example/openai",
    "https://api.openai.com",
    "Where its calls go.",
    { kind: "environment", variable: "MOONLOCK_UPSTREAM_OPENAI" },
    ["MOONLOCK_UPSTREAM_OPENAI"],
  ),
  setting("NO_PROXY", null, null, "What is reached without it.", undefined, ["NO_PROXY"]),
];

export const listSettings = (): Reply => [200, { file: FILE, restartNeeded: false, settings }];

const calibrated: CalibrationView[] = [
  {
    model: "claude-sonnet-4-5",
    side: "input",
    kind: "tools",
    pairs: 412,
    ratio: 1.08,
    ratioLow: 1.02,
    ratioHigh: 1.16,
    byRules: { median: 0.081, p90: 0.142 },
    corrected: { median: 0.018, p90: 0.051 },
  },
  {
    model: "gpt-5.1-codex",
    side: "output",
    kind: "text",
    pairs: 96,
    ratio: 1,
    ratioLow: 0.99,
    ratioHigh: 1.01,
    byRules: { median: 0.003, p90: 0.011 },
    corrected: null,
  },
];

export const calibration = ({ scene }: Asked): Reply => [
  200,
  { calibration: scene.sessions.length === 0 ? [] : calibrated },
];

const DAY = 24 * 60 * 60_000;
const LENGTH = { day: DAY, week: 7 * DAY, month: 30 * DAY } as const;

const made = (body: Record<string, unknown>, change: Partial<BudgetView> = {}): BudgetView => {
  const terms = body as Partial<BudgetView>;
  const from = new Date().setHours(0, 0, 0, 0);
  return {
    id: newId(),
    name: "",
    period: "day",
    provider: null,
    model: null,
    client: null,
    tokenBudget: null,
    budgetCounts: "all",
    costBudgetNanoUsd: null,
    atLimit: "alert",
    blocks: false,
    revision: 1,
    createdAt: from,
    from,
    to: from + LENGTH[terms.period ?? "day"],
    usage: noTotals,
    ...terms,
    ...change,
  };
};

const kept = new WeakMap<Scene, BudgetView[]>();

/** A scene with sessions begins with two. */
const budgetsOf = (scene: Scene): BudgetView[] => {
  const known = kept.get(scene);
  if (known && (known.length > 0 || scene.sessions.length === 0)) return known;
  if (scene.sessions.length === 0) return [];
  const used = (total: number, costNanoUsd: number) => ({
    usage: { ...noTotals, total, input: total, costNanoUsd },
  });
  const first = [
    made(
      { name: "All of my work", tokenBudget: 40_000_000, costBudgetNanoUsd: 25e9 },
      used(17_214_000, 21.4e9),
    ),
    made(
      { name: "Codex", period: "week", client: "codex", tokenBudget: 5_000_000, atLimit: "block" },
      { ...used(5_102_000, 2e9), blocks: true },
    ),
  ];
  kept.set(scene, first);
  return first;
};

export const listBudgets = ({ scene }: Asked): Reply => [200, { budgets: budgetsOf(scene) }];

export const createBudget = ({ scene, body }: Asked): Reply => {
  if (body["name"] === "Refuse me") {
    const detail = "`name` must have 1 to 200 characters";
    return [422, { type: "about:blank", title: "Not possible", status: 422, detail, field: "name" }];
  }
  const budget = made(body);
  kept.set(scene, [...budgetsOf(scene), budget]);
  return [201, budget];
};

export const changeBudget = ({ scene, id, body }: Asked): Reply => {
  const known = budgetsOf(scene);
  kept.set(
    scene,
    known.map((budget) =>
      budget.id === id ? { ...budget, ...body, revision: budget.revision + 1 } : budget,
    ),
  );
  return [200, known.find((budget) => budget.id === id) ?? {}];
};

export const deleteBudget = ({ scene, id }: Asked): Reply => {
  kept.set(
    scene,
    budgetsOf(scene).filter((budget) => budget.id !== id),
  );
  return [200, {}];
};
