import type { ReactNode } from "react";
import type { Tool } from "@/api/types.gen";
import { isTyped, placeOf } from "@/features/connect/arrivals";
import { CopyButton } from "@/shared/ui/copy-button";
import { withCode } from "@/shared/ui/with-code";

type ToolBlockProps = {
  tool: Tool;
  /** What its calls are counted for. */
  place: ReactNode;
};

/** What to copy for one tool, and how to undo it. */
export const ToolBlock = ({ tool, place }: ToolBlockProps) => {
  const { name, text, undo, note } = tool;
  return (
    <section aria-labelledby="tool" className="card min-w-0 p-5">
      <header className="flex min-h-9 flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <h2 id="tool" className="text-base font-semibold">
          {name}
        </h2>
        {place}
      </header>
      <p className="mt-3 mb-2 text-sm text-muted">{placeOf(tool)}</p>
      <div className="relative rounded-xl bg-sunken">
        <div className="absolute top-1.5 right-1.5">
          <CopyButton text={text} label={`the text for ${name}`} />
        </div>
        <pre
          data-testid="tool-text"
          className="px-4 pt-11 pb-4 font-mono text-[0.8125rem] leading-6 whitespace-pre-wrap [overflow-wrap:anywhere] sm:pt-4 sm:pr-24"
        >
          <code>{text}</code>
        </pre>
      </div>
      {note && <p className="mt-3 text-sm text-pretty text-muted">{withCode(note)}</p>}
      <div className="mt-4 border-t border-line pt-4 text-sm">
        <h3 className="font-medium">To undo it</h3>
        {isTyped(undo) ? (
          <div className="mt-1.5 flex items-center gap-2 rounded-lg bg-sunken py-1 pr-1 pl-3">
            <code className="min-w-0 flex-1 py-1 font-mono text-xs [overflow-wrap:anywhere]">{undo}</code>
            <CopyButton text={undo} label="how to undo it" />
          </div>
        ) : (
          <p className="mt-0.5 text-muted">{withCode(undo)}</p>
        )}
      </div>
    </section>
  );
};
