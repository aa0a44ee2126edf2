import { type FormEvent, useState } from "react";
import {
  type OwnPrice,
  type PriceField,
  priceField,
  RATES,
  typedPrice,
} from "@/features/settings/own-prices";
import { refusal } from "@/features/settings/settings-list";
import { Problem } from "@/shared/api-client";
import { Dialog } from "@/shared/ui/dialog";
import { FormEnd } from "@/shared/ui/form-end";
import { TextField } from "@/shared/ui/text-field";

type PriceDialogProps = {
  /** `undefined` makes a new one. */
  price: OwnPrice | undefined;
  onClose: () => void;
  onSave: (price: OwnPrice) => Promise<void>;
};

/** Most prices have no more than these. */
const USUAL = 4;

/** Makes or changes a price of one's own. The server says what is wrong with it. */
export const PriceDialog = ({ price, onClose, onSave }: PriceDialogProps) => {
  const [problems, setProblems] = useState<{ [Field in PriceField | "form"]?: string }>({});
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    if (busy) return;
    const form = event.currentTarget;
    const tell = (field: PriceField | undefined, text: string): void => {
      setProblems({ [field ?? "form"]: text });
      if (field) form.querySelector<HTMLInputElement>(`[name="${field}"]`)?.focus();
    };
    const typed = typedPrice(new FormData(form));
    if (typed.model === undefined) return tell("model", "Say which model it is of.");
    setBusy(true);
    try {
      await onSave(typed);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      tell(priceField(error.field), refusal(error.message));
    } finally {
      setBusy(false);
    }
  };
  const rate = ({ key, label }: (typeof RATES)[number]) => (
    <TextField
      key={key}
      label={label}
      name={key}
      defaultValue={price?.[key] ?? ""}
      inputMode="decimal"
      problem={problems[key]}
    />
  );
  const rare = RATES.slice(USUAL);
  return (
    <Dialog title={price ? "Edit the price" : "Add a price"} onClose={onClose}>
      <form onSubmit={submit} noValidate className="grid gap-4">
        <TextField
          label="Model; * stands for any text"
          name="model"
          defaultValue={price?.model ?? ""}
          placeholder="qwen3-coder*"
          spellCheck={false}
          problem={problems.model}
        />
        <div className="grid gap-4 sm:grid-cols-2">
          <TextField
            label="Provider (empty: every one)"
            name="provider"
            defaultValue={price?.provider ?? ""}
            placeholder="ollama"
            problem={problems.provider}
          />
          <TextField
            label="From (empty: always)"
            name="from"
            type="date"
            defaultValue={price?.from ?? ""}
            problem={problems.from}
          />
        </div>
        <fieldset className="grid gap-4 sm:grid-cols-2">
          <legend className="mb-1 text-xs text-muted">Dollars for a million tokens</legend>
          {RATES.slice(0, USUAL).map(rate)}
        </fieldset>
        <details open={rare.some(({ key }) => price?.[key] ?? problems[key])}>
          <summary className="w-fit cursor-pointer rounded text-sm text-muted">Rarer parts</summary>
          <div className="mt-3 grid gap-4 sm:grid-cols-2">{rare.map(rate)}</div>
        </details>
        <FormEnd
          problem={problems.form}
          busy={busy}
          submit={price ? "Save" : "Add the price"}
          onCancel={onClose}
        />
      </form>
    </Dialog>
  );
};
