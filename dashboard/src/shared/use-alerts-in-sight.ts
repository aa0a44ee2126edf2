import { useState } from "react";
import type { AlertView } from "@/api/types.gen";
import { follow, look, type SeenAlert, unseen } from "@/shared/alerts-in-sight";
import { useLive } from "@/store/live-store";

type InSight = {
  /** `undefined` until it is known which stand. */
  seen: readonly SeenAlert[] | undefined;
  fresh: readonly AlertView[];
  lookAgain: () => void;
};

/** The alerts in their places; what came or ended since waits for `lookAgain`. Nobody reads a hidden page. */
export const useAlertsInSight = (): InSight => {
  const ready = useLive((live) => live.state.seq !== null);
  const alerts = useLive((live) => live.state.alerts);
  const [{ of, seen }, setSeen] = useState<{ of?: AlertView[]; seen?: SeenAlert[] }>({});
  if (ready && of !== alerts) {
    const isRead = seen !== undefined && document.visibilityState === "visible";
    setSeen({ of: alerts, seen: isRead ? follow(seen, alerts) : look(alerts) });
  }
  return {
    seen,
    fresh: seen ? unseen(seen, alerts) : [],
    lookAgain: () => setSeen({ of: alerts, seen: look(alerts) }),
  };
};
