import type { ReactNode } from "react";
import { Button } from "@/shared/ui/button";

type FormEndProps = {
  /** Why it did not work; where a field is to blame, the field says it. */
  problem: string | undefined;
  busy: boolean;
  /** What the form does: the words on its button. */
  submit: ReactNode;
  /** It cannot be taken back. */
  isFinal?: true;
  onCancel: () => void;
};

/** What a dialog's form ends with. */
export const FormEnd = ({ problem, busy, submit, isFinal, onCancel }: FormEndProps) => (
  <>
    {problem && (
      <p role="alert" className="text-sm text-bad">
        {problem}
      </p>
    )}
    <div className="mt-2 flex justify-end gap-2">
      <Button variant="quiet" onClick={onCancel}>
        Cancel
      </Button>
      <Button
        type="submit"
        aria-disabled={busy}
        {...(isFinal ? { className: "border-bad! text-bad!" } : { variant: "primary" })}
      >
        {submit}
      </Button>
    </div>
  </>
);
