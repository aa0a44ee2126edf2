import { useEffect, useRef, useState } from "react";
import type { SessionView } from "@/api/types.gen";
import { SessionTools } from "@/features/live/session-tools";
import { Problem } from "@/shared/api-client";
import { Button } from "@/shared/ui/button";
import { CheckIcon, PauseIcon, PlayIcon } from "@/shared/ui/icons";
import { change, complete, toggle } from "@/store/session-commands";
import { selectSession } from "@/store/ui-store";

/** Where Space already means something. */
const TAKES_SPACE = "input, textarea, select, button, a, summary, dialog, [contenteditable]";

type SessionActionsProps = { view: SessionView };

export const SessionActions = ({ view }: SessionActionsProps) => {
  const [confirming, setConfirming] = useState(false);
  const [problem, setProblem] = useState<string>();
  // What is under way is for the state that was shown: once the next is, whether or not the answer has come, more can be asked.
  const asked = useRef<number | null>(null);
  const running = view.status === "active";

  const run = async (command: () => Promise<void>): Promise<void> => {
    const { revision } = view;
    if (asked.current === revision) return;
    asked.current = revision;
    try {
      await command();
      setProblem(undefined);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error.message);
    } finally {
      if (asked.current === revision) asked.current = null;
      setConfirming(false);
    }
  };
  const pressToggle = (): Promise<void> => run(() => toggle(view));

  const latestToggle = useRef(pressToggle);
  useEffect(() => {
    latestToggle.current = pressToggle;
  });
  useEffect(() => {
    if (view.status === "completed") return;
    const press = (event: KeyboardEvent): void => {
      const taken = event.target instanceof Element && event.target.closest(TAKES_SPACE);
      if (event.key !== " " || event.repeat || event.ctrlKey || event.metaKey || event.altKey || taken)
        return;
      event.preventDefault();
      void latestToggle.current();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [view.status]);

  const tools = <SessionTools view={view} onMakeCurrent={() => run(() => change(view, { current: true }))} />;
  if (view.status === "completed") {
    return (
      <div className="flex flex-wrap items-center gap-2.5">
        <Button onClick={() => selectSession(null)}>Done</Button>
        {tools}
      </div>
    );
  }
  return (
    <div className="flex flex-wrap items-center gap-2.5">
      <Button variant="primary" onClick={pressToggle} className="min-w-28" aria-keyshortcuts="Space">
        {running ? <PauseIcon /> : <PlayIcon className="size-3.5" />}
        {running ? "Pause" : "Resume"}
      </Button>
      {confirming ? (
        <Confirm onYes={() => run(() => complete(view))} onNo={() => setConfirming(false)} />
      ) : (
        <Button onClick={() => setConfirming(true)}>
          <CheckIcon />
          Complete
        </Button>
      )}
      {/* On a line of its own, its words stand under those above. */}
      <div className="-ml-4 sm:ml-0">{tools}</div>
      {problem && (
        <p role="alert" className="text-sm text-bad">
          {problem}
        </p>
      )}
    </div>
  );
};

type ConfirmProps = { onYes: () => void; onNo: () => void };

const Confirm = ({ onYes, onNo }: ConfirmProps) => {
  const yes = useRef<HTMLButtonElement>(null);
  useEffect(() => yes.current?.focus(), []);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape is a shortcut for the button inside.
    <div className="flex items-center gap-1.5" onKeyDown={({ key }) => key === "Escape" && onNo()}>
      <Button ref={yes} onClick={onYes}>
        <CheckIcon className="size-4 text-good" />
        Yes, complete
      </Button>
      <Button variant="quiet" onClick={onNo}>
        Keep going
      </Button>
    </div>
  );
};
