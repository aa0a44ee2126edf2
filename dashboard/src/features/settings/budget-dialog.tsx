import { type FormEvent, type ReactNode, useId, useState } from "react";
import type { BudgetView } from "@/api/types.gen";
import {
  moneyText,
  periods,
  type TermField,
  type TermProblems,
  termsOf,
} from "@/features/settings/budget-terms";
import { changeBudget, createBudget, Problem } from "@/shared/api-client";
import { Button } from "@/shared/ui/button";
import { Dialog } from "@/shared/ui/dialog";
import { TextField } from "@/shared/ui/text-field";

type BudgetDialogProps = {
  /** `null` makes a new one. */
  budget: BudgetView | null;
  onClose: () => void;
  onSaved: () => void;
};

const FIELDS: TermField[] = ["name", "tokenBudget", "costBudgetNanoUsd", "provider", "model", "client"];
const isField = (name: string | undefined): name is TermField => FIELDS.some((field) => field === name);

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
          <Choice label="Begins anew every" name="period" value={budget?.period ?? "day"}>
            {periods.map(({ value, label }) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </Choice>
          <Choice label="When it is used up" name="atLimit" value={budget?.atLimit ?? "alert"}>
            <option value="alert">Tell me</option>
            <option value="block">Refuse calls</option>
          </Choice>
          <TextField
            label="Tokens"
            name="tokenBudget"
            defaultValue={budget?.tokenBudget ?? ""}
            placeholder="None, or 2M"
            problem={problems.tokenBudget}
          />
          <Choice label="Which count" name="budgetCounts" value={budget?.budgetCounts ?? "all"}>
            <option value="all">All tokens</option>
            <option value="fresh">All but cache reads</option>
          </Choice>
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
          <TextField
            label="Provider"
            name="provider"
            defaultValue={budget?.provider ?? ""}
            placeholder="openai"
            problem={problems.provider}
          />
          <TextField
            label="Model"
            name="model"
            defaultValue={budget?.model ?? ""}
            placeholder="gpt-5.1"
            problem={problems.model}
          />
          <TextField
            label="Tool"
            name="client"
            defaultValue={budget?.client ?? ""}
            placeholder="Codex"
            problem={problems.client}
          />
        </fieldset>
        {problems.form && (
          <p role="alert" className="text-sm text-bad">
            {problems.form}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button variant="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" variant="primary" aria-disabled={busy}>
            {budget ? "Save" : "Add the budget"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
};

type ChoiceProps = { label: string; name: TermField; value: string; children: ReactNode };

const Choice = ({ label, name, value, children }: ChoiceProps) => {
  const id = useId();
  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="text-xs leading-5 font-medium text-muted">
        {label}
      </label>
      <select
        id={id}
        name={name}
        defaultValue={value}
        className="h-11 w-full min-w-0 rounded-xl border border-control bg-surface px-3 text-sm"
      >
        {children}
      </select>
    </div>
  );
};
