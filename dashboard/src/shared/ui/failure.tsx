import { Button } from "@/shared/ui/button";
import { AlertIcon } from "@/shared/ui/icons";

type FailureProps = {
  /** Why, as the server told it: a line that need not be a sentence. */
  reason: string | undefined;
  /** Whether it is being tried again. */
  busy?: boolean;
  onRetry: () => void;
  className?: string;
};

/** Says in place of what could not be read that it could not, and why. */
export const Failure = ({ reason, busy = false, onRetry, className = "px-5 pt-2 pb-5" }: FailureProps) => (
  <div role="alert" className={`flex flex-wrap items-center justify-between gap-x-5 gap-y-3 ${className}`}>
    <div className="flex min-w-0 items-start gap-3 text-sm">
      <AlertIcon className="mt-0.5 size-4 shrink-0 text-warn" />
      <div className="min-w-0">
        <p className="font-medium">This could not be read</p>
        {reason && <p className="text-muted [overflow-wrap:anywhere]">{sentence(reason)}</p>}
      </div>
    </div>
    <Button size="small" onClick={onRetry} aria-disabled={busy}>
      Try again
    </Button>
  </div>
);

/** Problems are told in lower case. */
const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/[.?]$/, "")}${text.endsWith("?") ? "?" : "."}`;
