import { asking } from "@/shared/alerts";
import { budgetLevel, countedTokens } from "@/shared/session/budget";
import { statusWord } from "@/shared/session/status";
import { useLive } from "@/store/live-store";
import { shownSession } from "@/store/shown-session";
import { useUi } from "@/store/ui-store";

/** Says aloud what a person must not miss, and only when it changes: never a single call. */
export const Announcer = () => {
  const choice = useUi();
  const text = useLive(({ state, connection }) => {
    const { view } = shownSession(state.sessions, choice) ?? {};
    const level = view?.tokenBudget ? budgetLevel(countedTokens(view), view.tokenBudget) : "fine";
    return [
      connection.kind === "offline" ? "The connection to Moonlock is lost." : "",
      view ? `Session ${view.name}: ${statusWord[view.status]}.` : "",
      {
        fine: "",
        near: "80 % of the token budget is used.",
        critical: "95 % of the token budget is used.",
        spent: "The token budget is used up.",
      }[level],
      ...asking(state.alerts).map((alert) => alert.message),
    ].join(" ");
  });
  return (
    <p role="status" className="sr-only">
      {text}
    </p>
  );
};
