import type { ReactNode } from "react";

type StatProps = { label: string; value: ReactNode; children?: ReactNode };

/** One number with its name above and what it means below. Stands in a `dl`. */
export const Stat = ({ label, value, children }: StatProps) => (
  <div className="card min-w-0 px-4 py-3.5 sm:px-5 sm:py-4">
    <dt className="text-xs leading-5 font-medium text-muted">{label}</dt>
    <dd className="mt-1 text-2xl leading-tight font-semibold tracking-tight sm:text-[1.75rem]">{value}</dd>
    {children && <dd className="mt-1.5 text-xs text-muted">{children}</dd>}
  </div>
);
