import { type ReactNode, useId } from "react";

type PanelProps = { title: string; aside?: ReactNode; children: ReactNode; className?: string };

/** A titled part of a page. */
export const Panel = ({ title, aside, children, className = "" }: PanelProps) => {
  const id = useId();
  return (
    <section aria-labelledby={id} className={`card min-w-0 ${className}`}>
      <header className="flex min-h-13 flex-wrap items-center justify-between gap-x-4 gap-y-1 px-5 pt-4 pb-2">
        <h2 id={id} className="text-sm font-semibold">
          {title}
        </h2>
        {aside}
      </header>
      {children}
    </section>
  );
};
