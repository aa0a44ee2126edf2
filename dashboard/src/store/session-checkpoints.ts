import { useMemo } from "react";
import type { CheckpointsPage, CheckpointView, SessionView } from "@/api/types.gen";
import { useLive } from "@/store/live-store";
import { useRead } from "@/store/query-client";

const NONE: readonly CheckpointView[] = [];

/** A session's checkpoints in order: those that were read, and those that were noted since. */
export const useSessionCheckpoints = ({ id, checkpoints }: SessionView): readonly CheckpointView[] => {
  const path = checkpoints > 0 ? `/api/sessions/${id}/checkpoints?limit=1000` : null;
  const read = useRead<CheckpointsPage>("checkpoints", path).data?.checkpoints ?? NONE;
  const since = useLive((live) => live.state.checkpoints);
  return useMemo(() => {
    const own = read.filter(({ sessionId }) => sessionId === id);
    const known = new Set(own.map((checkpoint) => checkpoint.id));
    return [
      ...own,
      ...since.filter((checkpoint) => checkpoint.sessionId === id && !known.has(checkpoint.id)),
    ];
  }, [read, since, id]);
};
