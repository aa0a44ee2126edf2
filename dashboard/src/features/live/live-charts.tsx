import type { CheckpointView } from "@/api/types.gen";
import { SessionCharts } from "@/shared/curve/session-charts";
import { elapsedAt } from "@/shared/session/elapsed";
import { useSeconds } from "@/shared/use-frames";
import type { LiveSession } from "@/store/live-reducer";
import { useSessionCheckpoints } from "@/store/session-checkpoints";

/** The charts move on this often while nothing happens. */
const STEP_MS = 5_000;

/** The charts of the session that is live. */
export const LiveCharts = ({ session }: { session: LiveSession }) => {
  const { view } = session;
  const elapsed = elapsedAt(session, useSeconds(view.status === "active"));
  const checkpoints: readonly CheckpointView[] = useSessionCheckpoints(view);
  return (
    <SessionCharts
      view={view}
      elapsedMs={view.status === "active" ? Math.floor(elapsed / STEP_MS) * STEP_MS : elapsed}
      checkpoints={checkpoints}
    />
  );
};
