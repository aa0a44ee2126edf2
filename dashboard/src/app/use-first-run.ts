import { useEffect } from "react";
import { useLocation } from "wouter";
import { useLive } from "@/store/live-store";
import { isWelcomed, welcome } from "@/store/ui-store";

/** Leads to Connect where nothing has ever happened; once, as one may want to start a session first. */
export const useFirstRun = (): void => {
  const [location, navigate] = useLocation();
  const isNew = useLive(
    ({ state: { seq, sessions, calls, unassigned } }) =>
      seq !== null && sessions.length === 0 && calls.length === 0 && unassigned.requests === 0,
  );
  useEffect(() => {
    if (!isNew || location !== "/" || isWelcomed()) return;
    welcome();
    navigate("/connect", { replace: true });
  }, [isNew, location, navigate]);
};
