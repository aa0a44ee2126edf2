import type { ReactNode } from "react";

type EmptyStateProps = {
  /** What is not there: nothing yet, nothing that fits the filters, or nothing that answers. */
  title: string;
  /** Why, and what to do about it. */
  children?: ReactNode;
  action?: ReactNode;
};

/** Says why a place is empty; everywhere in the same quiet way. */
export const EmptyState = ({ title, children, action }: EmptyStateProps) => (
  <div className="mx-auto grid max-w-md justify-items-center gap-2 px-5 py-12 text-center">
    <p className="font-medium">{title}</p>
    {children && <div className="text-sm text-pretty text-muted">{children}</div>}
    {action && <div className="mt-3">{action}</div>}
  </div>
);
