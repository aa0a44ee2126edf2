import { type FormEvent, useState } from "react";
import type { SessionView } from "@/api/types.gen";
import { Problem } from "@/shared/api-client";
import { compact, money, span } from "@/shared/format";
import { useSessionCheckpoints } from "@/store/session-checkpoints";
import { checkpoint } from "@/store/session-commands";

/** How many of the newest checkpoints are shown. */
const SHOWN = 5;

/** Notes a moment of the session with one field and Enter, and lists the newest. */
export const Checkpoints = ({ view }: { view: SessionView }) => {
  const [problem, setProblem] = useState<string>();
  const shown = useSessionCheckpoints(view).slice(-SHOWN).reverse();

  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget;
    const phase = String(new FormData(form).get("phase") ?? "").trim();
    if (phase === "") return;
    try {
      await checkpoint(view, phase);
      form.reset();
      setProblem(undefined);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error.message);
    }
  };

  if (view.status === "completed" && shown.length === 0) return null;
  return (
    <section aria-label="Checkpoints" className="grid gap-2 text-sm">
      {view.status !== "completed" && (
        <form onSubmit={submit}>
          <input
            name="phase"
            aria-label="Checkpoint"
            placeholder="Note a checkpoint, e.g. design done"
            maxLength={100}
            autoComplete="off"
            className="h-9 w-full max-w-sm min-w-0 rounded-xl border border-control bg-surface px-3 placeholder:text-muted"
          />
        </form>
      )}
      {problem && (
        <p role="alert" className="text-bad">
          {problem}
        </p>
      )}
      {shown.length > 0 && (
        <ol className="grid gap-1 text-muted">
          {shown.map((noted) => (
            <li key={noted.id} className="flex flex-wrap gap-x-3">
              <span className="text-ink">{noted.phase}</span>
              <span>at {span(noted.elapsedMs)}</span>
              <span>
                {compact(noted.since.total)} tokens, {money(noted.since.costNanoUsd)} in {span(noted.sinceMs)}
              </span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
};
