import { type FormEvent, useState } from "react";
import type { SettingView, StorageView } from "@/api/types.gen";
import { Fact } from "@/features/settings/fact";
import { type Choice, choiceOf, choices, cutBy, SETTING, typedDays } from "@/features/settings/retention";
import { refusal, sourceText } from "@/features/settings/settings-list";
import { saveSettings } from "@/features/settings/use-settings";
import { bytes, fullDate, plural } from "@/shared/format";
import { Button } from "@/shared/ui/button";
import { Dialog } from "@/shared/ui/dialog";
import { FormEnd } from "@/shared/ui/form-end";
import { Segmented } from "@/shared/ui/segmented";
import { useAction } from "@/shared/use-action";
import { serverNow, useLive } from "@/store/live-store";

type KeepCallsProps = { storage: StorageView; setting: SettingView };

/** What is asked before anything is deleted. */
type Asked = { days: number; cut: number };

/** How long single calls are kept, and what is there of them. */
export const KeepCalls = ({ storage, setting }: KeepCallsProps) => {
  const { keepCallsDays, callsSince, freeBytes } = storage;
  const clock = useLive((live) => live.state.clock);
  const [typing, setTyping] = useState(false);
  const [wrong, setWrong] = useState<string>();
  const [asked, setAsked] = useState<Asked>();
  const { problem, busy, run } = useAction();

  const save = async (days: number): Promise<void> => {
    if (!(await run(() => saveSettings({ [SETTING]: days })))) return;
    setTyping(false);
    setAsked(undefined);
  };
  const want = (days: number): void => {
    setWrong(undefined);
    const cut = cutBy(days, storage, serverNow(clock, performance.now()));
    if (cut === null) void save(days);
    else setAsked({ days, cut });
  };
  const choose = (choice: Choice): void => {
    setTyping(choice === "own");
    if (choice !== "own") want(Number(choice));
  };
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const days = typedDays(String(new FormData(event.currentTarget).get("days") ?? ""));
    if (days === null) setWrong("Give a whole number of days, 1 or more.");
    else want(days);
  };
  const choice = typing ? "own" : choiceOf(keepCallsDays);
  return (
    <>
      <Fact
        label="Single calls are kept"
        about="Older ones are deleted bit by bit. Totals, analytics, sessions with their charts, budgets and alerts stay for good. There is never a key, a prompt or a reply in any of it."
      >
        <div className="grid gap-2 md:justify-items-end">
          {setting.changeable ? (
            <Segmented label="How long calls are kept" options={choices} value={choice} onChange={choose} />
          ) : (
            <span>
              {keepCallsDays === null ? "For ever" : `For ${plural(keepCallsDays, "day")}`}
              <span className="text-muted"> · {sourceText(setting.source)}</span>
            </span>
          )}
          {choice === "own" && setting.changeable && (
            <form onSubmit={submit} noValidate className="flex flex-wrap items-center gap-2">
              <label className="flex items-center gap-2">
                <input
                  name="days"
                  inputMode="numeric"
                  autoComplete="off"
                  aria-label="Days that calls are kept"
                  aria-invalid={wrong !== undefined}
                  defaultValue={keepCallsDays ?? ""}
                  className="h-8 w-20 rounded-lg border border-control bg-surface px-2.5 text-right text-sm aria-invalid:border-bad"
                />
                days
              </label>
              <Button type="submit" size="small" aria-disabled={busy}>
                Save
              </Button>
            </form>
          )}
          {(wrong ?? (asked ? undefined : problem)) && (
            <p role="alert" className="text-xs text-bad">
              {wrong ?? refusal(problem ?? "")}
            </p>
          )}
        </div>
      </Fact>
      <Fact
        label="Single calls are there"
        about={
          freeBytes > 0
            ? "The file does not shrink by itself: new calls take the room that old ones left."
            : undefined
        }
      >
        {callsSince === null ? "All of them" : `Since ${fullDate(callsSince)}`}
        {freeBytes > 0 && ` · ${bytes(freeBytes)} free inside the file`}
      </Fact>
      {asked && (
        <Confirm
          asked={asked}
          busy={busy}
          problem={problem === undefined ? undefined : refusal(problem)}
          onCancel={() => setAsked(undefined)}
          onSave={() => void save(asked.days)}
        />
      )}
    </>
  );
};

type ConfirmProps = {
  asked: Asked;
  busy: boolean;
  problem: string | undefined;
  onCancel: () => void;
  onSave: () => void;
};

const Confirm = ({ asked: { days, cut }, busy, problem, onCancel, onSave }: ConfirmProps) => (
  <Dialog title={`Keep calls for ${plural(days, "day")}?`} onClose={onCancel}>
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy) onSave();
      }}
      className="grid gap-3 text-sm text-pretty"
    >
      <p>
        Single calls from before about <strong>{fullDate(cut)}</strong> will be deleted, and later ones as
        they become as old. This cannot be taken back.
      </p>
      <p className="text-muted">
        What they add up to stays for good: totals and analytics, sessions with their charts, budgets, alerts.
        Calls of a session stay until it has ended and is as old. Backups that were made before still have
        them.
      </p>
      <FormEnd problem={problem} busy={busy} submit="Delete older calls" isFinal onCancel={onCancel} />
    </form>
  </Dialog>
);
