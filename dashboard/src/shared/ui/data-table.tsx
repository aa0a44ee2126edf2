import type { ReactNode } from "react";

export type Column<Row> = {
  /** Its heading; it tells the column from the others. */
  label: string;
  /** What stands in the heading instead of the label. */
  heading?: ReactNode;
  cell: (row: Row) => ReactNode;
  /** Numbers stand at the right. */
  align?: "left" | "right";
  className?: string;
};

type DataTableProps<Row> = {
  /** What the table is of; not shown. */
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
};

/** A table that is short enough to be drawn whole. It scrolls sideways in itself, never the page. */
export const DataTable = <Row,>({ caption, columns, rows, rowKey }: DataTableProps<Row>) => (
  // biome-ignore lint/a11y/useSemanticElements: no form's fieldset, and no landmark beside the panel's.
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
  <div role="group" aria-label={caption} tabIndex={0} className="relative overflow-x-auto">
    <table className="w-full text-sm">
      <caption className="sr-only">{caption}</caption>
      <thead>
        <tr className="border-b border-line text-xs text-muted">
          {columns.map(({ label, heading = label, align, className = "" }, index) => (
            <th key={label} scope="col" className={cellClass(index, columns.length, align, className)}>
              {heading}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={rowKey(row)} className="border-b border-line/60 last:border-b-0">
            {columns.map(({ label, cell, align, className = "" }, index) => (
              <td key={label} className={cellClass(index, columns.length, align, className)}>
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

const cellClass = (
  index: number,
  columns: number,
  align: Column<unknown>["align"],
  className: string,
): string => {
  const side = align === "right" ? "text-right whitespace-nowrap" : "text-left";
  const edge = `${index === 0 ? "pl-5" : "pl-3"} ${index === columns - 1 ? "pr-5" : "pr-3"}`;
  return `py-2 font-normal ${side} ${edge} ${className}`;
};
