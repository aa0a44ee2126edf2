import { useState } from "react";
import { Link } from "wouter";
import type { SessionView } from "@/api/types.gen";
import { EditDialog } from "@/features/live/edit-dialog";
import { TimeDialog } from "@/features/live/time-dialog";
import { Button } from "@/shared/ui/button";

type SessionToolsProps = { view: SessionView; onMakeCurrent: () => void };

/** What is done to a session now and then. */
export const SessionTools = ({ view, onMakeCurrent }: SessionToolsProps) => {
  const [open, setOpen] = useState<"edit" | "time">();
  const close = (): void => setOpen(undefined);
  return (
    <div className="flex flex-wrap items-center gap-1">
      {!view.current && view.status !== "completed" && (
        <Button variant="quiet" title="Calls that name no session come here" onClick={onMakeCurrent}>
          Make current
        </Button>
      )}
      <Button variant="quiet" onClick={() => setOpen("edit")}>
        Edit
      </Button>
      <Button variant="quiet" onClick={() => setOpen("time")}>
        Correct time
      </Button>
      <Link
        href={`/sessions/${view.id}`}
        className="inline-flex h-10 items-center rounded-lg px-4 text-sm font-medium text-muted hover:bg-sunken hover:text-ink"
      >
        Report
      </Link>
      {open === "edit" && <EditDialog view={view} onClose={close} />}
      {open === "time" && <TimeDialog view={view} onClose={close} />}
    </div>
  );
};
