import { type FormEvent, useState } from "react";
import { Problem } from "@/shared/api-client";
import { parseBudget, parseDuration, parseMoney } from "@/shared/parse";
import { Button } from "@/shared/ui/button";
import { TextField } from "@/shared/ui/text-field";
import { startSession } from "@/store/session-commands";

type Field = "name" | "duration" | "tokenBudget" | "costBudgetNanoUsd";
type Problems = Partial<Record<Field | "form", string>>;

const FIELDS: readonly string[] = ["name", "duration", "tokenBudget", "costBudgetNanoUsd"] satisfies Field[];

const isField = (name: string | undefined): name is Field => name !== undefined && FIELDS.includes(name);

const start = async (form: FormData): Promise<Problems> => {
  const text = (field: Field): string => String(form.get(field) ?? "");
  const name = text("name").trim();
  const duration = parseDuration(text("duration"));
  const tokenBudget = parseBudget(text("tokenBudget"));
  const costBudget = parseMoney(text("costBudgetNanoUsd"));
  if (name === "") return { name: "Give it a name, so that you find it again." };
  if ("problem" in duration) return { duration: duration.problem };
  if ("problem" in tokenBudget) return { tokenBudget: tokenBudget.problem };
  if ("problem" in costBudget) return { costBudgetNanoUsd: costBudget.problem };
  try {
    const asked = { name, duration: duration.value, tokenBudget: tokenBudget.value };
    await startSession({ ...asked, costBudgetNanoUsd: costBudget.value });
    return {};
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { [isField(error.field) ? error.field : "form"]: error.message };
  }
};

export const StartForm = () => {
  const [problems, setProblems] = useState<Problems>({});
  const [busy, setBusy] = useState(false);

  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    if (busy) return;
    const form = event.currentTarget;
    setBusy(true);
    const found = await start(new FormData(form)).finally(() => setBusy(false));
    setProblems(found);
    const wrong = Object.keys(found).find(isField);
    if (wrong) form.querySelector<HTMLInputElement>(`[name="${wrong}"]`)?.focus();
  };

  return (
    <section className="mx-auto w-full max-w-2xl py-8 sm:py-14">
      <form onSubmit={submit} noValidate className="grid gap-4">
        <h1 className="text-center text-2xl font-semibold tracking-tight text-balance sm:text-3xl">
          <label htmlFor="session-name">What are you working on?</label>
        </h1>
        <TextField
          id="session-name"
          name="name"
          problem={problems.name}
          placeholder="Refactor the parser"
          maxLength={200}
          className="h-14 px-5 text-lg"
        />
        <div className="grid items-start gap-x-3 gap-y-4 sm:grid-cols-3">
          <TextField
            label="Duration"
            name="duration"
            problem={problems.duration}
            placeholder="Open end, or 2h, 45m"
          />
          <TextField
            label="Token budget"
            name="tokenBudget"
            problem={problems.tokenBudget}
            placeholder="None, or 500k"
          />
          <TextField
            label="Money budget"
            name="costBudgetNanoUsd"
            problem={problems.costBudgetNanoUsd}
            placeholder="None, or $5"
          />
        </div>
        <Button
          type="submit"
          variant="primary"
          aria-disabled={busy}
          className="h-11 justify-self-center rounded-xl px-8"
        >
          Start session
        </Button>
        {problems.form && (
          <p role="alert" className="text-sm text-bad">
            {problems.form}
          </p>
        )}
      </form>
    </section>
  );
};
