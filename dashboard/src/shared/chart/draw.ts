/**
 * Draws a chart's model on a canvas. The only user of Chart.js; fetched with the first chart.
 */
import {
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  type ChartConfiguration,
  type ChartDataset,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  type Plugin,
  PointElement,
  type ScaleOptionsByType,
  Tooltip,
} from "chart.js";
import { type Palette, paletteOf } from "@/shared/chart/colours";
import { type Axis, type ChartModel, type Series, timeTicks } from "@/shared/chart/model";

Chart.register(
  BarController,
  BarElement,
  CategoryScale,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  Tooltip,
);

type Mixed = "bar" | "line";
type Config = ChartConfiguration<Mixed, { x: number; y: number }[]>;
type Dataset = ChartDataset<Mixed, { x: number; y: number }[]>;

export type Drawing = {
  show: (model: ChartModel) => void;
  /** Takes the size of the frame at once: a page that is printed does not wait to be measured. */
  fit: () => void;
  destroy: () => void;
};

export const draw = (canvas: HTMLCanvasElement, first: ChartModel): Drawing => {
  let model = first;
  const chart = new Chart(
    canvas,
    configOf(first, canvas, () => model),
  );
  return {
    show: (next) => {
      model = next;
      const { data, options } = configOf(next, canvas, () => model);
      chart.data = data;
      if (options) chart.options = options;
      chart.update("none");
    },
    fit: () => chart.resize(),
    destroy: () => chart.destroy(),
  };
};

const configOf = (model: ChartModel, canvas: HTMLCanvasElement, latest: () => ChartModel): Config => {
  const colour = paletteOf(canvas.parentElement ?? document.body);
  const { labels } = model.x;
  return {
    type: model.series.some(({ kind }) => kind === "bar") ? "bar" : "line",
    data: { ...(labels && { labels }), datasets: model.series.flatMap((series) => datasets(series, colour)) },
    options: {
      animation: false,
      parsing: false,
      normalized: true,
      maintainAspectRatio: false,
      // Lines of one chart need not have their points at the same places.
      interaction: { mode: labels ? "index" : "nearest", axis: "x", intersect: false },
      layout: { padding: { top: 8, right: 4 } },
      scales: {
        x: {
          ...(labels ? { type: "category" as const } : { type: "linear" as const }),
          stacked: true,
          ...axis(model.x, colour),
          // Whole minutes or hours: Chart.js would cut an axis of milliseconds into equal parts.
          ...(!labels && {
            afterBuildTicks: (scale: { ticks: { value: number }[] }) => {
              scale.ticks = timeTicks(model.x).map((value) => ({ value }));
            },
          }),
          grid: { display: false },
          ticks: {
            color: colour("muted"),
            maxRotation: 0,
            autoSkipPadding: 16,
            ...(labels
              ? {}
              : {
                  callback: (value: number | string) => model.x.write(Number(value)),
                }),
          },
        },
        y: {
          type: "linear" as const,
          stacked: model.series.every(({ kind }) => kind === "bar"),
          beginAtZero: true,
          ...axis(model.y, colour),
          ticks: {
            color: colour("muted"),
            maxTicksLimit: 6,
            callback: (value: number | string) => model.y.write(Number(value)),
          },
        },
      },
      plugins: { tooltip: tooltip(latest, colour) },
    } as NonNullable<Config["options"]>,
    plugins: [lines(latest, canvas)],
  };
};

const axis = ({ min, max }: Axis, colour: Palette): Partial<ScaleOptionsByType<"linear">> =>
  ({
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
    border: { display: false },
    grid: { color: colour("line", 0.7), drawTicks: false },
  }) as Partial<ScaleOptionsByType<"linear">>;

const datasets = (series: Series, colour: Palette): Dataset[] => {
  const { label, kind } = series;
  const own = colour(series.colour);
  // Lines name no stack: Chart.js keeps a note for each place of a named one, for as long as the chart lives.
  const still = { pointRadius: 0, pointHitRadius: 0, pointHoverRadius: 0 };
  switch (kind) {
    case "bar":
      return [
        {
          type: "bar",
          label,
          data: series.points,
          backgroundColor: own,
          categoryPercentage: 0.92,
          barPercentage: 0.92,
          // A chart of one bar is no wall.
          maxBarThickness: 96,
          borderRadius: 2,
          stack: "all",
        },
      ];
    case "line": {
      const look = series.look ?? "solid";
      return [
        {
          type: "line",
          label,
          data: series.points,
          borderColor: look === "faint" ? colour(series.colour, 0.8) : own,
          backgroundColor: own,
          borderWidth: look === "solid" ? 2 : 1.5,
          borderDash: { solid: [], dashed: [6, 4], faint: [2, 3] }[look],
          pointRadius: 0,
          pointHoverRadius: look === "solid" ? 4 : 0,
        },
      ];
    }
    case "band": {
      const edge = { ...still, type: "line" as const, borderWidth: 0 };
      const low = series.points.map(({ x, low: y }) => ({ x, y }));
      const high = series.points.map(({ x, high: y }) => ({ x, y }));
      return [
        { ...edge, data: low, fill: false },
        { ...edge, data: high, fill: "-1", backgroundColor: colour(series.colour, 0.18) },
      ];
    }
  }
};

const tooltip = (latest: () => ChartModel, colour: Palette) => ({
  backgroundColor: colour("surface"),
  titleColor: colour("ink"),
  bodyColor: colour("ink"),
  borderColor: colour("line"),
  borderWidth: 1,
  padding: 10,
  cornerRadius: 8,
  boxWidth: 8,
  boxHeight: 8,
  boxPadding: 4,
  filter: ({ dataset }: { dataset: { label?: string } }) => dataset.label !== undefined,
  callbacks: {
    title: (items: { parsed: { x: number | null } }[]): string => {
      const { x } = latest();
      const at = items[0]?.parsed.x ?? 0;
      return x.labels?.[at] ?? x.write(at);
    },
    label: ({ dataset, parsed }: { dataset: { label?: string }; parsed: { y: number | null } }): string =>
      ` ${dataset.label}: ${latest().y.write(parsed.y ?? 0)}`,
  },
});

/** The budget's line and the checkpoints' marks, below the data; their names above it, each in a rim that keeps it legible. */
const lines = (latest: () => ChartModel, canvas: HTMLCanvasElement): Plugin<Mixed> => ({
  id: "lines",
  beforeDatasetsDraw: ({ ctx, chartArea: { left, right, top, bottom }, scales: { x, y } }) => {
    const { limit, marks = [] } = latest();
    const colour = paletteOf(canvas.parentElement ?? document.body);
    ctx.save();
    ctx.setLineDash([3, 4]);
    ctx.lineWidth = 1;
    ctx.strokeStyle = colour("muted", 0.7);
    for (const { x: at } of marks) {
      const place = crisp(x?.getPixelForValue(at));
      if (place >= left && place <= right) stroke(ctx, [place, top], [place, bottom]);
    }
    const place = limit && crisp(y?.getPixelForValue(limit.y));
    if (place !== undefined && place >= top && place <= bottom) {
      ctx.setLineDash([]);
      ctx.strokeStyle = colour("bad", 0.8);
      stroke(ctx, [left, place], [right, place]);
    }
    ctx.restore();
  },
  afterDatasetsDraw: ({ ctx, chartArea: { left, right, top, bottom }, scales: { x, y } }) => {
    const { limit, marks = [] } = latest();
    const colour = paletteOf(canvas.parentElement ?? document.body);
    ctx.save();
    ctx.font = `11px ${getComputedStyle(canvas).fontFamily}`;
    ctx.lineJoin = "round";
    ctx.lineWidth = 4;
    ctx.strokeStyle = colour("surface");
    const write = (text: string, at: [number, number], own: string): void => {
      ctx.strokeText(text, ...at);
      ctx.fillStyle = own;
      ctx.fillText(text, ...at);
    };
    let free = left;
    for (const { x: at, label } of marks) {
      const place = crisp(x?.getPixelForValue(at)) + 4;
      const width = ctx.measureText(label).width;
      // A name that would run into the one before, or out of the chart, is left to the list of checkpoints.
      if (place < free || place + width > right) continue;
      write(label, [place, top + 9], colour("muted"));
      free = place + width;
    }
    const place = limit && crisp(y?.getPixelForValue(limit.y));
    if (limit && place !== undefined && place >= top && place <= bottom) {
      write(limit.label, [left + 4, place - 5], colour("bad"));
    }
    ctx.restore();
  },
});

/** In the middle of a pixel, where a line of one is sharp. */
const crisp = (place = 0): number => Math.round(place) + 0.5;

const stroke = (ctx: CanvasRenderingContext2D, from: [number, number], to: [number, number]): void => {
  ctx.beginPath();
  ctx.moveTo(...from);
  ctx.lineTo(...to);
  ctx.stroke();
};
