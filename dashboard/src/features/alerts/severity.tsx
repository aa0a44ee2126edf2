import type { Severity } from "@/features/alerts/alert-texts";
import { severityWord } from "@/shared/alerts";
import { SeverityIcon } from "@/shared/ui/icons";

const tone = { info: "text-accent", warning: "text-warn", critical: "text-bad" } as const;

/** How much an alert matters: a word and a shape, not a colour alone. */
export const SeverityMark = ({ severity, quiet = false }: { severity: Severity; quiet?: boolean }) => (
  <span
    className={`inline-flex shrink-0 items-center gap-1.5 text-sm font-medium ${quiet ? "text-muted" : tone[severity]}`}
  >
    <SeverityIcon severity={severity} />
    {severityWord[severity]}
  </span>
);
