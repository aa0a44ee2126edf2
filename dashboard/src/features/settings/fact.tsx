import type { ReactNode } from "react";

type FactProps = { label: string; about?: ReactNode; children: ReactNode };

/** A line of a description list: what it is called, what it is about, and what holds. */
export const Fact = ({ label, about, children }: FactProps) => (
  <div className="grid gap-x-6 gap-y-1 border-t border-line/60 px-5 py-3 md:grid-cols-[minmax(0,1.3fr)_minmax(0,1fr)]">
    <dt className="min-w-0">
      {label}
      {about && <span className="block text-xs text-pretty text-muted">{about}</span>}
    </dt>
    <dd className="min-w-0 md:text-right">{children}</dd>
  </div>
);
