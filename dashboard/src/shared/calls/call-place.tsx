import { useState } from "react";
import type { CallDetail, SessionView } from "@/api/types.gen";
import { Part } from "@/shared/calls/call-parts";
import { attributionText } from "@/shared/calls/call-texts";
import { MoveDialog } from "@/shared/calls/move-dialog";
import { Button } from "@/shared/ui/button";
import { useLive } from "@/store/live-store";
import { useRead } from "@/store/query-client";

/** Which session it belongs to, why, and how that is changed. */
export const CallPlace = ({ call }: { call: CallDetail }) => {
  const [moving, setMoving] = useState(false);
  const [said, setSaid] = useState("");
  const live = useLive((state) => state.state.sessions.find(({ view }) => view.id === call.sessionId)?.view);
  const path = call.sessionId !== null && !live ? `/api/sessions/${call.sessionId}` : null;
  const read = useRead<SessionView>("sessions", path).data;
  const session = live ?? read;
  return (
    <Part title="Session">
      <div className="flex items-start justify-between gap-3">
        <div className="min-w-0">
          <p className="font-medium break-words">
            {call.sessionId === null ? "Unassigned" : (session?.name ?? "…")}
          </p>
          <p className="text-muted">
            {attributionText[call.attribution]}
            {call.askedSession && call.sessionId === null && ` It asked for “${call.askedSession}”.`}
          </p>
        </div>
        {call.outcome !== "running" && <Button onClick={() => setMoving(true)}>Move…</Button>}
      </div>
      <p role="status" className="text-muted">
        {said}
      </p>
      {moving && (
        <MoveDialog
          picked={[call.id]}
          from={call.sessionId ?? undefined}
          onClose={() => setMoving(false)}
          onMoved={(text) => {
            setMoving(false);
            setSaid(text);
          }}
        />
      )}
    </Part>
  );
};
