import { useId, useLayoutEffect, useRef } from "react";
import type { Heat, Level } from "@/features/analytics/heat";
import { DataTable } from "@/shared/ui/data-table";

const fill: Record<Level, string> = {
  0: "fill-moon-shade",
  1: "fill-accent/25",
  2: "fill-accent/50",
  3: "fill-accent/75",
  4: "fill-accent",
};
const levels: Level[] = [0, 1, 2, 3, 4];

const SIZE = 10;
const GAP = 2.5;
const PITCH = SIZE + GAP;
/** What there are few of is drawn wider: both kinds of map fill the page's width with rows of one height. */
const FEW = 30;
const WIDE = 23.5;
const LEFT = 30;
const TOP = 16;

/** A grid of squares, the darker the more was used; with what it says in words and as a table. */
export const HeatMap = ({ title, heat }: { title: string; heat: Heat }) => {
  const id = useId();
  const { columns, rows, cells, top, side, summary, table } = heat;
  const width = columns > FEW ? SIZE : WIDE;
  const pitch = width + GAP;
  const map = useRef<HTMLDivElement>(null);
  // Where there is no room for all of a year, its newest days are what is looked for.
  useLayoutEffect(() => {
    if (columns > FEW) map.current?.scrollTo({ left: map.current.scrollWidth });
  }, [columns]);
  return (
    <figure aria-labelledby={id} className="card min-w-0">
      <figcaption className="px-5 pt-4 pb-2">
        <h2 id={id} className="text-sm font-semibold">
          {title}
        </h2>
        <p className="mt-0.5 text-xs text-muted">{summary}</p>
      </figcaption>
      <div ref={map} className="relative overflow-x-auto px-5" aria-hidden="true">
        <svg
          viewBox={`0 0 ${LEFT + columns * pitch - GAP} ${TOP + rows * PITCH}`}
          className="w-full min-w-[44rem]"
          aria-hidden="true"
        >
          {top.map(({ x, label }) => (
            <text key={`${x} ${label}`} x={LEFT + x * pitch} y={9} className="fill-muted text-[8px]">
              {label}
            </text>
          ))}
          {side.map(({ y, label }) => (
            <text key={label} x={0} y={TOP + y * PITCH + 8} className="fill-muted text-[8px]">
              {label}
            </text>
          ))}
          {cells.map(({ x, y, level, title: told }) => (
            <rect
              key={`${x} ${y}`}
              x={LEFT + x * pitch}
              y={TOP + y * PITCH}
              width={width}
              height={SIZE}
              rx={2}
              className={fill[level]}
            >
              <title>{told}</title>
            </rect>
          ))}
        </svg>
      </div>
      <div className="flex flex-wrap items-start justify-between gap-x-4 px-5 pt-1 pb-3 text-xs text-muted">
        <details className="min-w-0 flex-1 print:hidden">
          <summary className="w-fit cursor-pointer rounded py-1">As a table</summary>
          <div className="-mx-5 max-h-72 overflow-y-auto">
            <DataTable
              caption={`${title}, as a table`}
              columns={table.columns.map((label, index) => ({
                label,
                cell: (row: string[]) => row[index],
                align: index === 0 ? "left" : "right",
              }))}
              rows={table.rows}
              rowKey={(row) => row[0] ?? ""}
            />
          </div>
        </details>
        <span className="flex items-center gap-1 py-1" aria-hidden="true">
          less
          <svg viewBox="0 0 61 10" className="h-2.5 w-[3.8rem]" aria-hidden="true">
            {levels.map((level) => (
              <rect key={level} x={level * PITCH} width={SIZE} height={SIZE} rx={2} className={fill[level]} />
            ))}
          </svg>
          more
        </span>
      </div>
    </figure>
  );
};
