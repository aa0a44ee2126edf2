import { type ReactNode, useId } from "react";
import { ChartCanvas } from "@/shared/chart/canvas";
import type { ChartModel, ChartText, Colour, Series } from "@/shared/chart/model";

const tone: Record<Colour, string> = {
  accent: "text-accent",
  muted: "text-muted",
  ink: "text-ink",
  good: "text-good",
  warn: "text-warn-fill",
  bad: "text-bad",
  "cache-read": "text-cache-read",
  "cache-write": "text-cache-write",
  input: "text-input",
  output: "text-output",
  reasoning: "text-reasoning",
};

type ChartFrameProps = {
  title: string;
  model: ChartModel;
  text: ChartText;
  /** What chooses what is shown. */
  aside?: ReactNode;
  /** Of the drawing; a class, so that nothing moves when it comes. */
  height?: string;
};

/** A chart in its panel, with what it says in words, and as a table to who opens it. */
export const ChartFrame = ({ title, model, text, aside, height = "h-64" }: ChartFrameProps) => {
  const id = useId();
  return (
    <figure aria-labelledby={id} className="card min-w-0 break-inside-avoid">
      <figcaption className="px-5 pt-4 pb-2">
        <div className="flex min-h-7 flex-wrap items-center justify-between gap-x-4 gap-y-2">
          <h2 id={id} className="text-sm font-semibold">
            {title}
          </h2>
          {aside}
        </div>
        <p className="mt-1.5 text-xs text-muted sm:mt-0.5">{text.summary}</p>
      </figcaption>
      <div className={`relative mx-4 overflow-hidden ${height}`} aria-hidden="true">
        <ChartCanvas model={model} />
      </div>
      <Legend model={model} />
      <details className="px-5 pb-3 text-xs text-muted print:hidden">
        <summary className="w-fit cursor-pointer rounded py-1">As a table</summary>
        <ChartTable title={title} text={text} />
      </details>
    </figure>
  );
};

const Legend = ({ model: { series } }: { model: ChartModel }) => (
  <ul className="flex flex-wrap gap-x-4 gap-y-1 px-5 pt-2 pb-1 text-xs text-muted" aria-hidden="true">
    {series.map((one, index) => (
      <li key={one.label} className="flex items-center gap-1.5">
        <span className={`${shape(one, series[index - 1])} ${tone[one.colour]}`} />
        {one.label}
      </li>
    ))}
  </ul>
);

/** A band that lies on another is as much darker as it is drawn. */
const shape = (one: Series, before: Series | undefined): string => {
  switch (one.kind) {
    case "bar":
      return "size-2.5 rounded-[3px] bg-current";
    case "band":
      return `size-2.5 rounded-[3px] bg-current ${before?.kind === "band" ? "opacity-50" : "opacity-25"}`;
    case "line":
      return `w-4 border-t-2 border-current ${{ solid: "", dashed: "border-dashed", faint: "border-dotted" }[one.look ?? "solid"]}`;
  }
};

const ChartTable = ({ title, text: { columns, rows } }: { title: string; text: ChartText }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
  <section aria-label={`${title}, as a table`} tabIndex={0} className="mt-1 max-h-64 overflow-auto">
    <table className="w-full text-left">
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column} scope="col" className="py-1 pr-4 font-medium">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two rows may say the same time, and of such only the place tells them apart.
          <tr key={place}>
            {row.map((cell, index) => (
              <td key={columns[index]} className="py-1 pr-4 whitespace-nowrap">
                {cell}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);
