import type { LimitsView, WindowView } from "@/api/types.gen";
import { type BudgetLevel, budgetLevel } from "@/shared/session/budget";
import { windowLabel } from "@/shared/windows";

/** A window as it is drawn; `used` is in thousandths, `null` where a refusal says no more than when to come back. */
export type LimitRow = {
  key: string;
  label: string;
  used: number | null;
  level: BudgetLevel;
  resetsAt: number | null;
};

/** The windows of one credential. */
export type LimitGroup = { key: string; title: string; rows: LimitRow[] };

/** What there is to show at `now` on the server's clock: what says how far a limit is used up, and still holds. */
export const limitGroups = (limits: LimitsView[], now: number, alertAt: readonly number[]): LimitGroup[] =>
  limits
    .map((set) => ({
      key: `${set.provider} ${set.credential}`,
      title: title(set, limits),
      rows: set.windows.filter((window) => holds(window, now)).map((window) => row(window, alertAt)),
    }))
    .filter(({ rows }) => rows.length > 0);

const holds = (window: WindowView, now: number): boolean =>
  !window.stale &&
  (window.resetsAt === null || window.resetsAt > now) &&
  (window.usedPermille !== null || window.status === "rejected");

/** Keys are told apart only where a provider has several. */
const title = ({ provider, credential }: LimitsView, all: LimitsView[]): string => {
  const several = all.filter((other) => other.provider === provider).length > 1;
  return several ? `${provider} · ${credential === null ? "no key" : credential.slice(0, 4)}` : provider;
};

const row = (window: WindowView, alertAt: readonly number[]): LimitRow => ({
  key: window.name,
  label: windowLabel(window),
  used: window.usedPermille,
  level: window.status === "rejected" ? "spent" : budgetLevel(window.usedPermille ?? 0, 1_000, alertAt),
  resetsAt: window.resetsAt,
});
