import { type FormEvent, useState } from "react";
import type { SessionView } from "@/api/types.gen";
import { deleteSession, Problem } from "@/shared/api-client";
import { plural } from "@/shared/format";
import { Dialog } from "@/shared/ui/dialog";
import { FormEnd } from "@/shared/ui/form-end";

type DeleteDialogProps = { view: SessionView; onClose: () => void; onDeleted: () => void };

/** Asks what becomes of the session's calls: there is no good guess. */
export const DeleteDialog = ({ view, onClose, onDeleted }: DeleteDialogProps) => {
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    if (busy) return;
    const fate = new FormData(event.currentTarget).get("calls") === "delete" ? "delete" : "unassign";
    setBusy(true);
    try {
      await deleteSession(view.id, fate);
      onDeleted();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error.message);
      setBusy(false);
    }
  };
  const calls = plural(view.usage.requests, "call");
  return (
    <Dialog title={`Delete “${view.name}”?`} onClose={onClose}>
      <form onSubmit={submit} className="grid gap-4 text-sm">
        <p className="text-muted">Its clock, checkpoints and alerts are deleted for good.</p>
        <fieldset className="grid gap-2.5">
          <legend className="mb-2 font-medium">What becomes of its {calls}?</legend>
          <label className="flex items-start gap-2.5">
            <input
              type="radio"
              name="calls"
              value="unassign"
              defaultChecked
              className="mt-0.5 size-4 accent-accent"
            />
            <span>
              Keep them
              <span className="block text-muted">They become Unassigned, and count as before.</span>
            </span>
          </label>
          <label className="flex items-start gap-2.5">
            <input type="radio" name="calls" value="delete" className="mt-0.5 size-4 accent-accent" />
            <span>
              Delete them as well
              <span className="block text-muted">They leave every sum, chart and budget.</span>
            </span>
          </label>
        </fieldset>
        <FormEnd problem={problem} busy={busy} submit="Delete for good" isFinal onCancel={onClose} />
      </form>
    </Dialog>
  );
};
