/**
 * The session that was chosen on the Live page, in the page's address: it can be sent, reloaded and gone back to.
 */
import { navigate } from "wouter/use-browser-location";
import { selectSession, useUi } from "@/store/ui-store";

const NAME = "session";
/** The events of the History API, of which the router makes some. */
const MOVES = ["popstate", "pushState", "replaceState"] as const;

/** Keeps address and choice alike, until the returned function is called. */
export const startLiveAddress = (): (() => void) => {
  let wasLive = false;

  const follow = (): void => {
    const isLive = location.pathname === "/";
    const hasCome = isLive && !wasLive;
    wasLive = isLive;
    if (!isLive) return;
    const named = new URLSearchParams(location.search).get(NAME);
    const { selectedSession } = useUi.getState();
    // Who comes back to the page finds it as it was left; who came by a link, or moves on it, is shown what is named.
    if (hasCome && named === null) write(selectedSession, { replace: true });
    else if (named !== selectedSession) selectSession(named);
  };

  const write = (session: string | null, options?: { replace: boolean }): void => {
    const params = new URLSearchParams(location.search);
    if (params.get(NAME) === session) return;
    if (session === null) params.delete(NAME);
    else params.set(NAME, session);
    const text = params.toString();
    navigate(`/${text && `?${text}`}`, options);
  };

  for (const move of MOVES) window.addEventListener(move, follow);
  const stop = useUi.subscribe(({ selectedSession }, before) => {
    if (selectedSession !== before.selectedSession && location.pathname === "/") write(selectedSession);
  });
  follow();
  return () => {
    for (const move of MOVES) window.removeEventListener(move, follow);
    stop();
  };
};
