import { useState } from "react";
import { Problem } from "@/shared/api-client";

type Action = {
  /** Why the last one did not work; a sentence for the person. */
  problem: string | undefined;
  busy: boolean;
  /** Does it, one at a time; whether it worked. */
  run: (act: () => Promise<unknown>) => Promise<boolean>;
};

/** Something that is done on a press and may be refused. */
export const useAction = (): Action => {
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const run = async (act: () => Promise<unknown>): Promise<boolean> => {
    if (busy) return false;
    setBusy(true);
    setProblem(undefined);
    try {
      await act();
      return true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error.message);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { problem, busy, run };
};
