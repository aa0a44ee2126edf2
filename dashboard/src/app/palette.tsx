import { type ComponentType, type KeyboardEvent, useId, useState } from "react";
import { useLocation } from "wouter";
import { type Command, commands } from "@/app/commands";
import { pages } from "@/app/pages";
import { Problem } from "@/shared/api-client";
import { statusWord } from "@/shared/session/status";
import { Dialog } from "@/shared/ui/dialog";
import {
  CheckIcon,
  FlagIcon,
  KeyboardIcon,
  PauseIcon,
  PlayIcon,
  SearchIcon,
  SessionsIcon,
} from "@/shared/ui/icons";
import { Keys } from "@/shared/ui/keys";
import { useLive } from "@/store/live-store";
import { checkpoint, complete, openSession, toggle } from "@/store/session-commands";
import { selectSession, showOverlay } from "@/store/ui-store";

/** Goes anywhere and does what is done often, by typing. */
export const Palette = () => {
  const id = useId();
  const [place, navigate] = useLocation();
  const sessions = useLive((live) => live.state.sessions);
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const [confirming, setConfirming] = useState(false);
  const [problem, setProblem] = useState<string>();
  const open = openSession();
  const close = (): void => showOverlay(null);

  const offered: Command[] =
    confirming && open
      ? [{ kind: "completeNow", id: "completeNow", label: `Yes, complete “${open.name}”` }]
      : commands(typed, { pages, sessions: sessions.map(({ view }) => view), open });
  const current = offered[Math.min(at, offered.length - 1)];

  const act = async (work: Promise<void>, path?: string): Promise<void> => {
    try {
      await work;
      if (path !== undefined && path !== place) navigate(path);
      close();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error.message);
    }
  };

  const run = (command: Command): void => {
    setAt(0);
    switch (command.kind) {
      case "page":
        navigate(command.path);
        close();
        return;
      case "session":
        if (command.note === "completed") navigate(`/sessions/${command.session}`);
        else {
          selectSession(command.session);
          if (place !== "/") navigate("/");
        }
        close();
        return;
      case "shortcuts":
        showOverlay("shortcuts");
        return;
      case "toggle":
        if (open) void act(toggle(open));
        return;
      case "checkpoint":
        if (command.phase === "") setTyped("checkpoint ");
        else if (open) void act(checkpoint(open, command.phase));
        return;
      case "complete":
        setConfirming(true);
        return;
      case "completeNow":
        if (open) void act(complete(open), "/");
        return;
    }
  };

  const press = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && offered.length > 0) {
      event.preventDefault();
      setAt((Math.min(at, offered.length - 1) + step + offered.length) % offered.length);
    }
    if (event.key === "Enter" && current) {
      event.preventDefault();
      run(current);
    }
    if (event.key === "Escape" && confirming) {
      event.preventDefault();
      setConfirming(false);
    }
  };

  return (
    <Dialog title="Go to, or do" onClose={close} placement="top">
      <input
        role="combobox"
        aria-label="Page, session or action"
        aria-expanded={offered.length > 0}
        aria-controls={`${id}-list`}
        aria-activedescendant={current && `${id}-${offered.indexOf(current)}`}
        aria-autocomplete="list"
        autoComplete="off"
        value={typed}
        placeholder="Page, session or action"
        onChange={({ target }) => {
          setTyped(target.value);
          setAt(0);
          setConfirming(false);
          setProblem(undefined);
        }}
        onKeyDown={press}
        className="h-11 w-full rounded-xl border border-control bg-surface px-3.5 text-sm placeholder:text-muted"
      />
      <div
        role="listbox"
        id={`${id}-list`}
        aria-label="What fits"
        className="mt-3 grid max-h-[55dvh] grid-cols-[minmax(0,1fr)] gap-0.5 overflow-y-auto"
      >
        {offered.map((command, index) => (
          // biome-ignore lint/a11y/useFocusableInteractive: as above.
          // biome-ignore lint/a11y/useKeyWithClickEvents: as above; the keys are the field's.
          <div
            key={command.id}
            id={`${id}-${index}`}
            role="option"
            aria-selected={command === current}
            ref={command === current ? keepInSight : undefined}
            onClick={() => run(command)}
            onPointerMove={() => index !== at && setAt(index)}
            className="flex min-h-10 cursor-pointer items-center gap-3 rounded-lg px-3 py-2 text-sm aria-selected:bg-accent/10"
          >
            <CommandIcon of={command} running={open?.status === "active"} />
            <span className="min-w-0 flex-1 truncate">{command.label}</span>
            <Hint of={command} />
          </div>
        ))}
      </div>
      {offered.length === 0 && <p className="px-3 py-2 text-sm text-muted">Nothing fits “{typed}”.</p>}
      {problem && (
        <p role="alert" className="px-3 pt-2 text-sm text-bad">
          {problem}
        </p>
      )}
    </Dialog>
  );
};

const pageAt = (path: string) => pages.find((page) => page.path === path);

const CommandIcon = ({ of, running }: { of: Command; running: boolean }) => {
  const icons: Record<Command["kind"], ComponentType<{ className?: string }>> = {
    page: (of.kind === "page" && pageAt(of.path)?.Icon) || SearchIcon,
    toggle: running ? PauseIcon : PlayIcon,
    checkpoint: FlagIcon,
    complete: CheckIcon,
    completeNow: CheckIcon,
    session: SessionsIcon,
    shortcuts: KeyboardIcon,
  };
  const Icon = icons[of.kind];
  return <Icon className="size-4 text-muted" />;
};

/** What a session stands at, or the keys that go to a page without the palette. */
const Hint = ({ of }: { of: Command }) => {
  if (of.kind === "session") {
    return (
      <span className="shrink-0 text-xs text-muted">{statusWord[of.note as keyof typeof statusWord]}</span>
    );
  }
  const key = of.kind === "page" ? pageAt(of.path)?.key : undefined;
  return (
    key && (
      <span aria-hidden="true" className="hidden shrink-0 sm:block">
        <Keys of={`g ${key}`} />
      </span>
    )
  );
};

const keepInSight = (element: HTMLElement | null): void => element?.scrollIntoView({ block: "nearest" });
