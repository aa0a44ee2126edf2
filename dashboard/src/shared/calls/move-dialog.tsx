import { type FormEvent, useState } from "react";
import { type CallMove, moveCalls, Problem } from "@/shared/api-client";
import { rangeOf } from "@/shared/calls/local-time";
import { RangeFields } from "@/shared/calls/range-fields";
import { plural } from "@/shared/format";
import { Dialog } from "@/shared/ui/dialog";
import { FormEnd } from "@/shared/ui/form-end";
import { SelectField } from "@/shared/ui/select-field";
import { receiveSession, serverNow, useLive } from "@/store/live-store";

const HOUR = 3_600_000;
const NOWHERE = "unassigned";
const ANYWHERE = "any";

const placeOf = (value: FormDataEntryValue | null): string | null =>
  value === NOWHERE ? null : String(value);

/** What the form asks for. */
const moveOf = (form: FormData, picked: string[]): CallMove | { problem: string } => {
  const session = placeOf(form.get("session"));
  if (form.get("which") === "picked") return { session, calls: picked };
  const range = rangeOf(form);
  if ("problem" in range) return range;
  const from = form.get("of");
  return { session, ...range, ...(from === ANYWHERE ? {} : { fromSession: placeOf(from) }) };
};

type MoveDialogProps = {
  /** Ids of calls. */
  picked: string[];
  /** The session whose calls are in view. */
  from: string | undefined;
  onClose: () => void;
  onMoved: (said: string) => void;
};

/** Puts calls where they belong: the picked ones, or all of a stretch of time. */
export const MoveDialog = ({ picked, from, onClose, onMoved }: MoveDialogProps) => {
  const sessions = useLive((live) => live.state.sessions);
  const clock = useLive((live) => live.state.clock);
  const [range] = useState(() => {
    const to = serverNow(clock, performance.now());
    return { from: to - HOUR, to };
  });
  const [byTime, setByTime] = useState(picked.length === 0);
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);

  const move = async (form: FormData): Promise<void> => {
    const asked = moveOf(form, picked);
    if ("problem" in asked) return setProblem(asked.problem);
    try {
      const { moved, more, sessions: changed } = await moveCalls(asked);
      changed.forEach(receiveSession);
      if (more) return setProblem(`${plural(moved, "call")} moved, and more match. Move again.`);
      const name = sessions.find(({ view }) => view.id === asked.session)?.view.name ?? "Unassigned";
      onMoved(`${plural(moved, "call")} moved to ${name}.`);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error.message);
    }
  };
  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    await move(new FormData(event.currentTarget)).finally(() => setBusy(false));
  };

  const places = [
    ...sessions.map(({ view }) => ({ id: view.id, name: view.name })),
    { id: NOWHERE, name: "Unassigned" },
  ];
  const elsewhere = places.find(({ id }) => id !== from)?.id ?? NOWHERE;
  return (
    <Dialog title="Move calls" onClose={onClose}>
      <form onSubmit={submit} noValidate className="grid gap-3 text-sm">
        <fieldset className="grid gap-2">
          <legend className="sr-only">Which calls</legend>
          {picked.length > 0 && (
            <Choice
              value="picked"
              label={`The ${plural(picked.length, "picked call")}`}
              chosen={!byTime}
              onChoose={() => setByTime(false)}
            />
          )}
          <Choice
            value="time"
            label="All that began in a stretch of time"
            chosen={byTime}
            onChoose={() => setByTime(true)}
          />
        </fieldset>
        {byTime && (
          <>
            <RangeFields range={range} problem={undefined} />
            <SelectField name="of" label="Calls of" value={from ?? ANYWHERE}>
              <option value={ANYWHERE}>Any session, or none</option>
              <Places of={places} />
            </SelectField>
          </>
        )}
        <SelectField name="session" label="Move to" value={elsewhere}>
          <Places of={places} />
        </SelectField>
        <FormEnd problem={problem} busy={busy} submit="Move" onCancel={onClose} />
      </form>
    </Dialog>
  );
};

type ChoiceProps = { value: string; label: string; chosen: boolean; onChoose: () => void };

const Choice = ({ value, label, chosen, onChoose }: ChoiceProps) => (
  <label className="flex items-center gap-2.5">
    <input
      type="radio"
      name="which"
      value={value}
      checked={chosen}
      onChange={onChoose}
      className="size-4 accent-accent"
    />
    {label}
  </label>
);

const Places = ({ of }: { of: { id: string; name: string }[] }) =>
  of.map(({ id, name }) => (
    <option key={id} value={id}>
      {name}
    </option>
  ));
