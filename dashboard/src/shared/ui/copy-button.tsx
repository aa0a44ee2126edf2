import { useEffect, useState } from "react";
import { CheckIcon, CopyIcon } from "@/shared/ui/icons";

const SHOWN_MS = 1_600;

type CopyButtonProps = { text: string; label: string };

export const CopyButton = ({ text, label }: CopyButtonProps) => {
  const [copied, setCopied] = useState(false);

  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [copied]);

  const copy = (): void => {
    // Without a secure context there is no clipboard; the text can still be selected by hand.
    navigator.clipboard?.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };

  return (
    <button
      type="button"
      onClick={copy}
      aria-label={`Copy ${label}`}
      className="inline-flex h-8 shrink-0 items-center gap-1.5 rounded-md px-2 text-xs font-medium text-muted hover:bg-surface hover:text-ink"
    >
      {copied ? <CheckIcon className="size-3.5 text-good" /> : <CopyIcon className="size-3.5" />}
      <span aria-live="polite">{copied ? "Copied" : "Copy"}</span>
    </button>
  );
};
