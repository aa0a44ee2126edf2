/**
 * The settings as they are told. Pure.
 */
import type { SettingSource, SettingView } from "@/api/types.gen";
import { count } from "@/shared/format";

/** The first part of a setting's name, and what it is called. */
const GROUPS = [
  ["server", "Addresses"],
  ["store", "Storage"],
  ["sessions", "Sessions"],
  ["alerts", "Alerts"],
  ["notify", "Alerts"],
  ["backup", "Backups"],
  ["estimates", "Estimates"],
  ["mounts", "Providers"],
  ["prices", "Prices"],
] as const;

const OTHERS = "Others";
const ENVIRONMENT = "From the environment only";

export type SettingGroup = { title: string; settings: SettingView[] };

/** By what they are about, in the server's order. A group of which nothing is there is left out. */
export const settingGroups = (settings: readonly SettingView[]): SettingGroup[] => {
  const titles = new Set([...GROUPS.map(([, title]) => title), OTHERS, ENVIRONMENT]);
  return [...titles]
    .map((title) => ({ title, settings: settings.filter(({ name }) => groupOf(name) === title) }))
    .filter((group) => group.settings.length > 0);
};

const groupOf = (name: string): string => {
  const [first = ""] = name.split(/[.[]/);
  const found = GROUPS.find(([prefix]) => prefix === first);
  if (found) return found[1];
  return name === name.toUpperCase() ? ENVIRONMENT : OTHERS;
};

/** What holds, as text; `null` where nothing does. */
export const valueText = (value: unknown): string | null => {
  if (value === null || value === undefined || value === "") return null;
  if (Array.isArray(value)) return value.map(valueText).join(", ") || null;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return count(value);
  return typeof value === "string" ? value : JSON.stringify(value);
};

/** Those that `text` is found in: in a name, in what it means or in what holds. */
export const matching = (settings: readonly SettingView[], text: string): SettingView[] => {
  const wanted = text.trim().toLowerCase();
  return settings.filter((setting) =>
    [setting.name, setting.meaning, setting.variable, settingText(setting, setting.value)].some((part) =>
      part?.toLowerCase().includes(wanted),
    ),
  );
};

/** More of a group, as they come, would bury what somebody has said. */
const MOST = 20;

/** What is in sight of a group, and what is folded away. */
export const folded = (settings: readonly SettingView[]): { shown: SettingView[]; more: SettingView[] } => {
  if (settings.length <= MOST) return { shown: [...settings], more: [] };
  return { shown: settings.filter(isChanged), more: settings.filter((setting) => !isChanged(setting)) };
};

/** A port is a name more than a number. */
export const settingText = ({ name }: Pick<SettingView, "name">, value: unknown): string | null =>
  name.endsWith("port") && typeof value === "number" ? String(value) : valueText(value);

/** What was typed for a setting, as the server takes it: nothing at all is what it comes with. */
export const typedValue = (
  { default: usual }: Pick<SettingView, "default">,
  text: string,
): { value: unknown } | { problem: string } => {
  const typed = text.trim();
  if (typed === "") return { value: null };
  if (Array.isArray(usual)) return typedNumbers(typed, usual);
  if (typeof usual !== "number") return { value: typed };
  const digits = typed.replaceAll(/[\s,]/g, "");
  return /^\d{1,15}$/.test(digits) ? { value: Number(digits) } : { problem: "Give a whole number." };
};

/** `80, 95`: whole numbers, with whatever stands between them. Which of them are taken, the server says. */
const typedNumbers = (typed: string, usual: readonly unknown[]): { value: unknown } | { problem: string } => {
  const words = typed.split(/[^\d.\w-]+/).filter((word) => word !== "");
  return words.every((word) => /^\d{1,15}$/.test(word))
    ? { value: words.map(Number) }
    : { problem: `Give whole numbers, such as ${usual.join(", ")}.` };
};

/** Whether a setting is one text, number or switch, or a list of them, and not more than that. */
export const isPlain = ({ default: usual }: Pick<SettingView, "default">): boolean =>
  typeof usual !== "object" || Array.isArray(usual);

/** Why a setting was refused, without its name and the place in the file that the person has not written in. */
export const refusal = (detail: string): string => {
  const text = detail
    .replace(/^[^`]*:\d+: /, "")
    .replace(/^`[^`]*`: /, "")
    .replace(/^[\w.]+=\S*: /, "");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
};

/** Who said it. */
export const sourceText = (source: SettingSource): string => {
  switch (source.kind) {
    case "default":
      return "default";
    case "file":
      return `${source.file.split(/[/\\]/).at(-1)}, line ${source.line}`;
    case "environment":
      return `environment: ${source.variable}`;
    case "flag":
      return `command line: ${source.flag}`;
    default:
      return "";
  }
};

/** Whether somebody has said something else than what it comes with. A path that is worked out is nobody's word. */
export const isChanged = ({ value, default: usual, source }: SettingView): boolean =>
  source.kind !== "default" && JSON.stringify(value) !== JSON.stringify(usual);

/** How it can be set, beside the file. */
export const waysToSet = ({ variable, flag, name }: SettingView): string[] =>
  [variable === name ? null : variable, flag].filter((way) => way !== null);
