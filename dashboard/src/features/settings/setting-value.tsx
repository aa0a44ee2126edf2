import { type FormEvent, useEffect, useRef, useState } from "react";
import type { SettingView } from "@/api/types.gen";
import { SETTING } from "@/features/settings/retention";
import { isChanged, isPlain, refusal, settingText, typedValue } from "@/features/settings/settings-list";
import { saveSettings } from "@/features/settings/use-settings";
import { UNKNOWN } from "@/shared/format";
import { Button } from "@/shared/ui/button";
import { Switch } from "@/shared/ui/switch";
import { useAction } from "@/shared/use-action";

type SettingValueProps = { setting: SettingView };

/** What is set and, where a request may change it, how to. */
export const SettingValue = ({ setting }: SettingValueProps) => {
  const { name, value, default: usual } = setting;
  // A price of one's own is more than a text, and what deletes calls asks before: both are changed where they are told.
  const changeable = setting.changeable && isPlain(setting) && name !== SETTING;
  const { problem, busy, run } = useAction();
  const [said, setSaid] = useState("");
  const save = async (next: unknown): Promise<boolean> => {
    setSaid("");
    const worked = await run(() => saveSettings({ [name]: next }));
    if (worked) setSaid(setting.needsRestart ? "Saved for the next start." : "Saved; it holds now.");
    return worked;
  };
  const isFlag = typeof usual === "boolean" && typeof value === "boolean";
  const canReset = changeable && setting.source.kind === "file" && isChanged(setting);
  return (
    <div className="grid justify-items-start gap-1 md:justify-items-end">
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1 md:justify-end">
        {canReset && (
          <Button variant="quiet" size="small" className="-my-1" onClick={() => save(null)}>
            Reset
          </Button>
        )}
        {changeable && isFlag ? (
          <Switch
            label={name}
            checked={value}
            words={{ on: "On", off: "Off" }}
            busy={busy}
            onToggle={() => save(!value)}
          />
        ) : changeable ? (
          <Editable setting={setting} busy={busy} onSave={save} />
        ) : (
          <Text setting={setting} />
        )}
      </div>
      {problem && (
        <p role="alert" className="text-xs text-bad">
          {refusal(problem)}
        </p>
      )}
      <p role="status" className="text-xs text-good empty:hidden">
        {said}
      </p>
    </div>
  );
};

const Text = ({ setting }: SettingValueProps) => (
  <span className={`[overflow-wrap:anywhere] ${isChanged(setting) ? "font-medium" : ""}`}>
    {settingText(setting, setting.value) ?? <span className="font-normal text-muted">{UNKNOWN}</span>}
  </span>
);

/** What holds, as it is typed. */
const fieldText = (value: unknown): string => (Array.isArray(value) ? value.join(", ") : String(value ?? ""));

type EditableProps = SettingValueProps & { busy: boolean; onSave: (value: unknown) => Promise<boolean> };

/** A text or a number, which turns into a field where it stands. */
const Editable = ({ setting, busy, onSave }: EditableProps) => {
  const [editing, setEditing] = useState(false);
  const [problem, setProblem] = useState<string>();
  const field = useRef<HTMLInputElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const was = useRef(false);
  useEffect(() => {
    if (editing) field.current?.select();
    else if (was.current) button.current?.focus();
    was.current = editing;
  }, [editing]);
  const close = (): void => {
    setEditing(false);
    setProblem(undefined);
  };
  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const typed = typedValue(setting, field.current?.value ?? "");
    setProblem("problem" in typed ? typed.problem : undefined);
    if ("value" in typed && (await onSave(typed.value))) close();
  };
  if (!editing)
    return (
      <>
        <Text setting={setting} />
        <Button
          ref={button}
          size="small"
          className="-my-1"
          aria-label={`Change ${setting.name}`}
          onClick={() => setEditing(true)}
        >
          Change
        </Button>
      </>
    );
  return (
    <form onSubmit={submit} noValidate className="flex flex-wrap items-center gap-2 md:justify-end">
      <input
        ref={field}
        aria-label={setting.name}
        aria-invalid={problem !== undefined}
        defaultValue={fieldText(setting.value)}
        inputMode={typeof setting.default === "number" ? "numeric" : "text"}
        autoComplete="off"
        spellCheck={false}
        onKeyDown={({ key }) => key === "Escape" && close()}
        className="h-8 w-36 rounded-lg border border-control bg-surface px-2.5 text-sm aria-invalid:border-bad"
      />
      <Button type="submit" variant="primary" size="small" aria-disabled={busy}>
        Save
      </Button>
      <Button variant="quiet" size="small" onClick={close}>
        Cancel
      </Button>
      {problem && (
        <p role="alert" className="basis-full text-xs text-bad">
          {problem}
        </p>
      )}
    </form>
  );
};
