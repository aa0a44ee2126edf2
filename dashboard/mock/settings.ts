/** Settings, budgets and how good estimates are. */
import type {
  BudgetView,
  CalibrationView,
  SettingSource,
  SettingView,
  StorageView,
} from "../src/api/types.gen";
import { noTotals } from "../src/store/live-reducer";
import type { Asked, Reply } from "./rest";
import { newId, type Scene } from "./scene";

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
  needsRestart: !/^(sessions|alerts|backup|prices|store\.keep)/.test(name),
  changeable: /^(sessions|alerts|estimates|prices|store\.(durability|keep)|backup\.(daily|keep))/.test(name),
  pending: false,
});

const settings: readonly SettingView[] = [
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
  setting(
    "store.keep_calls_days",
    0,
    0,
    "How many days single calls are kept; 0 is for ever. All sums stay for good.",
  ),
  setting("sessions.auto", true, false, "Begin a session by itself with the first call that has none.", {
    kind: "file",
    file: FILE,
    line: 7,
  }),
  setting("sessions.idle_minutes", 30, 30, "End it, at its last call, after so many minutes without one."),
  setting(
    "alerts.at_percent",
    [80, 95],
    [80, 95],
    "The shares, in percent, at which a budget or a provider's own limit alerts. A budget also does at 100.",
  ),
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

const held = new WeakMap<Scene, readonly SettingView[]>();
const settingsOf = (scene: Scene): readonly SettingView[] => held.get(scene) ?? settings;

export const listSettings = ({ scene }: Pick<Asked, "scene">): Reply => {
  const all = settingsOf(scene);
  return [200, { file: FILE, restartNeeded: all.some(({ pending }) => pending), settings: all }];
};

const inFile: SettingSource = { kind: "file", file: FILE, line: 30 };

const AT = "alerts.at_percent";

/** Sets the shares at which budgets alert; a sentence, if they are none. */
const setShares = ({ scene, body, publish }: Asked): string | null => {
  if (body[AT] === undefined) return null;
  const shares = (body[AT] ?? [80, 95]) as number[];
  const wrong = shares.find((share, place) => share < 1 || share > 99 || share <= (shares[place - 1] ?? 0));
  if (wrong !== undefined) return `${wrong} is not from 1 to 99, or not higher than the one before`;
  scene.alertAtPercent = shares;
  publish({ kind: "alerts.at", data: { percent: shares } });
  return null;
};

export const changeSettings = (asked: Asked): Reply => {
  const { scene, body } = asked;
  const refused = setShares(asked);
  if (refused !== null) {
    const detail = `${FILE}:9: \`${AT}\`: ${refused}`;
    return [422, { type: "about:blank", title: "Not possible", status: 422, detail, field: AT }];
  }
  const { prices, ...others } = body;
  const [wrong] = Object.keys(others).filter(
    (name) => others[name] === 0 && name !== "store.keep_calls_days",
  );
  if (wrong) {
    const detail = `${FILE}:7: \`${wrong}\`: must be at least 1`;
    return [422, { type: "about:blank", title: "Not possible", status: 422, detail, field: wrong }];
  }
  const changed = settingsOf(scene).map((known): SettingView => {
    const asked = others[known.name];
    if (asked === undefined) return known;
    const source: SettingSource = asked === null ? { kind: "default" } : inFile;
    return { ...known, value: asked ?? known.default, source, pending: known.needsRestart };
  });
  const own = Array.isArray(prices)
    ? [
        ...prices.map((price, index) => setting(`prices[${index}]`, price, null, "", inFile)),
        ...changed.filter(({ name }) => !name.startsWith("prices[")),
      ]
    : changed;
  held.set(scene, own);
  return listSettings({ scene });
};

const DAY = 24 * 60 * 60_000;
const OLDEST_DAYS = 200;

const backups = new WeakMap<Scene, StorageView["lastBackup"]>();

export const storage = ({ scene }: Pick<Asked, "scene">): Reply => {
  const days = Number(settingsOf(scene).find(({ name }) => name === "store.keep_calls_days")?.value ?? 0);
  const known: StorageView = {
    path: "/home/ada/.local/share/moonlock/moonlock.db",
    bytes: 4_816_896,
    calls: scene.calls.length,
    // So old that a shorter time has something to delete.
    oldestCallAt: scene.calls.length === 0 ? null : Date.now() - (days || OLDEST_DAYS) * DAY,
    keepCallsDays: days || null,
    callsSince: days > 0 ? Date.now() - days * DAY : null,
    freeBytes: days > 0 ? 1_212_416 : 0,
    dailyBackups: true,
    keepDays: 7,
    directory: "/home/ada/.local/share/moonlock/backups",
    lastBackup: backups.get(scene) ?? null,
  };
  return [200, known];
};

export const backUp = ({ scene }: Asked): Reply => {
  backups.set(scene, { at: Date.now(), file: "moonlock-2026-11-22T115307.db", bytes: 4_800_512 });
  return [201, storage({ scene })[1]];
};

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
