import { asking } from "@/shared/alerts";
import { countedTokens, passedShare } from "@/shared/session/budget";
import { statusWord } from "@/shared/session/status";
import { useLive } from "@/store/live-store";
import { shownSession } from "@/store/shown-session";
import { useUi } from "@/store/ui-store";

/** Says aloud what a person must not miss, and only when it changes: never a single call. */
export const Announcer = () => {
  const choice = useUi();
  const text = useLive(({ state, connection }) => {
    const { view } = shownSession(state.sessions, choice) ?? {};
    return [
      connection.kind === "offline" ? "The connection to Moonlock is lost." : "",
      view ? `Session ${view.name}: ${statusWord[view.status]}.` : "",
      view?.tokenBudget ? budgetText(countedTokens(view), view.tokenBudget, state.alertAt) : "",
      ...asking(state.alerts).map((alert) => alert.message),
    ].join(" ");
  });
  return (
    <p role="status" className="sr-only">
      {text}
    </p>
  );
};

const budgetText = (used: number, budget: number, alertAt: readonly number[]): string => {
  if (used >= budget) return "The token budget is used up.";
  const passed = passedShare(used, budget, alertAt);
  return passed === null ? "" : `${passed} % of the token budget is used.`;
};
