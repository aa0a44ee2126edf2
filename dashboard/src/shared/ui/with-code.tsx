import type { ReactNode } from "react";

/** A text in which what stands between backquotes is code. */
export const withCode = (text: string): ReactNode =>
  text.split("`").map((part, index) =>
    index % 2 === 1 ? (
      <code key={part} className="font-mono text-xs text-ink [overflow-wrap:anywhere]">
        {part}
      </code>
    ) : (
      part
    ),
  );
