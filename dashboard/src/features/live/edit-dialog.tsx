import { type FormEvent, useState } from "react";
import type { SessionView } from "@/api/types.gen";
import { changeOf, type SessionTexts, type TextProblems, textsOf } from "@/features/live/session-texts";
import { editSession, Problem } from "@/shared/api-client";
import { Dialog } from "@/shared/ui/dialog";
import { FormEnd } from "@/shared/ui/form-end";
import { TextArea, TextField } from "@/shared/ui/text-field";
import { receiveSession } from "@/store/live-store";

type Field = { name: keyof SessionTexts; label: string; placeholder: string; maxLength?: number };

const FIELDS: Field[] = [
  { name: "name", label: "Name", placeholder: "Refactor the parser", maxLength: 200 },
  { name: "duration", label: "Duration in all", placeholder: "Open end, or 2h, 45m" },
  { name: "tokenBudget", label: "Token budget", placeholder: "None, or 500k" },
  { name: "tags", label: "Tags", placeholder: "rust, parser" },
];

/** It may have lines. */
const NOTE: Field = {
  name: "note",
  label: "Note",
  placeholder: "What is worth knowing later",
  maxLength: 4_000,
};

const typedIn = (form: FormData, before: SessionTexts): SessionTexts => {
  const text = (name: keyof SessionTexts): string => String(form.get(name) ?? before[name]);
  return {
    name: text("name"),
    duration: text("duration"),
    tokenBudget: text("tokenBudget"),
    tags: text("tags"),
    note: text("note"),
  };
};

type EditDialogProps = { view: SessionView; onClose: () => void };

/** What the session is called, how long it may run, and what is said of it. */
export const EditDialog = ({ view, onClose }: EditDialogProps) => {
  const [before] = useState(() => textsOf(view));
  const [revision, setRevision] = useState(view.revision);
  const [problems, setProblems] = useState<TextProblems & { form?: string }>({});
  const [busy, setBusy] = useState(false);

  const save = async (form: FormData): Promise<void> => {
    const found = changeOf(before, typedIn(form, before));
    if ("problems" in found) return setProblems(found.problems);
    if (Object.keys(found.change).length === 0) return onClose();
    try {
      receiveSession(await editSession(view.id, revision, found.change));
      onClose();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.session) {
        receiveSession(error.session);
        setRevision(error.session.revision);
        return setProblems({
          form: "It was changed elsewhere meanwhile. Save again to keep what you wrote.",
        });
      }
      const field = [...FIELDS, NOTE].find(({ name }) => name === error.field)?.name ?? "form";
      setProblems({ [field]: error.message });
    }
  };

  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    await save(new FormData(event.currentTarget)).finally(() => setBusy(false));
  };

  const shown = FIELDS.filter(({ name }) => name !== "duration" || view.status !== "completed");
  return (
    <Dialog title="Edit session" onClose={onClose}>
      <form onSubmit={submit} noValidate className="grid gap-3">
        {shown.map(({ name, ...field }) => (
          <TextField
            key={name}
            name={name}
            defaultValue={before[name]}
            problem={problems[name]}
            className="h-10 px-3 text-sm"
            {...field}
          />
        ))}
        <TextArea
          rows={4}
          defaultValue={before.note}
          problem={problems.note}
          className="resize-y px-3 py-2 text-sm"
          {...NOTE}
        />
        <FormEnd problem={problems.form} busy={busy} submit="Save" onCancel={onClose} />
      </form>
    </Dialog>
  );
};
