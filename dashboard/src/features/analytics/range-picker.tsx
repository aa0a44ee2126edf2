import { type RangeName, ranges } from "@/features/analytics/range";
import { Segmented } from "@/shared/ui/segmented";

type RangePickerProps = {
  range: RangeName;
  from: string;
  to: string;
  onChange: (change: { range?: RangeName; from?: string; to?: string }) => void;
};

/** The stretch of time, and its days where they are one's own. */
export const RangePicker = ({ range, from, to, onChange }: RangePickerProps) => (
  <>
    <Segmented
      label="Range"
      options={ranges}
      value={range}
      onChange={(chosen) => onChange({ range: chosen })}
    />
    {range === "custom" && (
      <div className="flex flex-wrap items-center gap-2 text-sm text-muted">
        <Day label="From" value={from} max={to} onChange={(day) => onChange({ from: day })} />
        to
        <Day label="To" value={to} min={from} onChange={(day) => onChange({ to: day })} />
      </div>
    )}
  </>
);

type DayProps = {
  label: string;
  value: string;
  min?: string;
  max?: string;
  onChange: (day: string) => void;
};

const Day = ({ label, value, min, max, onChange }: DayProps) => (
  <input
    type="date"
    aria-label={label}
    value={value}
    min={min || undefined}
    max={max || undefined}
    onChange={({ target }) => onChange(target.value)}
    className="h-9 min-w-0 rounded-lg border border-control bg-surface px-2.5 text-sm text-ink"
  />
);
