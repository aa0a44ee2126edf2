import { type FormEvent, useState } from "react";
import type { BudgetView } from "@/api/types.gen";
import {
  moneyText,
  periods,
  type TermField,
  type TermProblems,
  termsOf,
} from "@/features/settings/budget-terms";
import { changeBudget, createBudget, Problem } from "@/shared/api-client";
import { Dialog } from "@/shared/ui/dialog";
import { FormEnd } from "@/shared/ui/form-end";
import { SelectField } from "@/shared/ui/select-field";
import { TextField } from "@/shared/ui/text-field";

type BudgetDialogProps = {
  /** `null` makes a new one. */
  budget: BudgetView | null;
  onClose: () => void;
  onSaved: () => void;
};

const FIELDS: TermField[] = ["name", "tokenBudget", "costBudgetNanoUsd", "provider", "model", "client"];
const isField = (name: string | undefined): name is TermField => FIELDS.some((field) => field === name);

/** Whose calls a budget can be narrowed to. */
const narrowings = [
  { name: "provider", label: "Provider", placeholder: "openai" },
  { name: "model", label: "Model", placeholder: "gpt-5.1" },
  { name: "client", label: "Tool", placeholder: "Codex" },
] as const;

/** Makes or changes a budget. */
export const BudgetDialog = ({ budget, onClose, onSaved }: BudgetDialogProps) => {
  const [problems, setProblems] = useState<TermProblems & { form?: string }>({});
  const [busy, setBusy] = useState(false);

  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    if (busy) return;
    const form = event.currentTarget;
    const read = termsOf(new FormData(form));
    if ("problems" in read) {
      setProblems(read.problems);
      const [wrong] = Object.keys(read.problems);
      form.querySelector<HTMLInputElement>(`[name="${wrong}"]`)?.focus();
      return;
    }
    setBusy(true);
    try {
      await (budget ? changeBudget(budget.id, budget.revision, read.terms) : createBudget(read.terms));
      onSaved();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblems({ [isField(error.field) ? error.field : "form"]: error.message });
    } finally {
      setBusy(false);
    }
  };

  return (
    <Dialog title={budget ? "Edit the budget" : "Add a budget"} onClose={onClose}>
      <form onSubmit={submit} noValidate className="grid gap-4">
        <TextField
          label="Name"
          name="name"
          defaultValue={budget?.name ?? ""}
          placeholder="All of my work"
          maxLength={200}
          problem={problems.name}
        />
        <div className="grid gap-4 sm:grid-cols-2">
          <SelectField label="Resets every" name="period" value={budget?.period ?? "day"}>
            {periods.map(({ value, label }) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </SelectField>
          <SelectField label="When it is used up" name="atLimit" value={budget?.atLimit ?? "alert"}>
            <option value="alert">Tell me</option>
            <option value="block">Refuse calls</option>
          </SelectField>
          <TextField
            label="Tokens"
            name="tokenBudget"
            defaultValue={budget?.tokenBudget ?? ""}
            placeholder="None, or 2M"
            problem={problems.tokenBudget}
          />
          <SelectField label="Which count" name="budgetCounts" value={budget?.budgetCounts ?? "all"}>
            <option value="all">All tokens</option>
            <option value="fresh">All but cache reads</option>
          </SelectField>
          <TextField
            label="Money, in dollars"
            name="costBudgetNanoUsd"
            defaultValue={moneyText(budget?.costBudgetNanoUsd ?? null)}
            placeholder="None, or 20"
            inputMode="decimal"
            problem={problems.costBudgetNanoUsd}
          />
        </div>
        <fieldset className="grid gap-4 sm:grid-cols-3">
          <legend className="mb-1 text-xs text-muted">Only calls of (empty: any)</legend>
          {narrowings.map(({ name, ...field }) => (
            <TextField
              key={name}
              name={name}
              defaultValue={budget?.[name] ?? ""}
              problem={problems[name]}
              {...field}
            />
          ))}
        </fieldset>
        <FormEnd
          problem={problems.form}
          busy={busy}
          submit={budget ? "Save" : "Add the budget"}
          onCancel={onClose}
        />
      </form>
    </Dialog>
  );
};
