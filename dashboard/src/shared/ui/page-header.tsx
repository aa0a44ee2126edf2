import type { ReactNode } from "react";

type PageHeaderProps = {
  title: string;
  /** What the browser's tab says, where that is another. */
  tab?: string;
  /** What the page is about, in a line. */
  children?: ReactNode;
  /** What can be done with the whole page. */
  actions?: ReactNode;
};

/** The head of every page but Live's: its only `h1`, and the document's title. */
export const PageHeader = ({ title, tab = title, children, actions }: PageHeaderProps) => (
  <header className="flex flex-wrap items-end justify-between gap-x-6 gap-y-3 pt-3 pb-5">
    <title>{`${tab} — Moonlock`}</title>
    <div className="min-w-0">
      <h1 className="text-xl font-semibold tracking-tight break-words outline-none sm:text-2xl">{title}</h1>
      {children && <div className="mt-1 text-sm text-muted">{children}</div>}
    </div>
    {actions && <div className="flex flex-wrap items-center gap-2 print:hidden">{actions}</div>}
  </header>
);
