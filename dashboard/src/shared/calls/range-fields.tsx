import { localText, type Range } from "@/shared/calls/local-time";
import { TextField } from "@/shared/ui/text-field";
import { zone } from "@/shared/zone";

type RangeFieldsProps = { range: Range; problem: string | undefined };

/** A beginning and an end, in the viewer's zone. */
export const RangeFields = ({ range, problem }: RangeFieldsProps) => (
  // What a field shows in one zone is another moment in another.
  <div key={zone()} className="grid items-start gap-3 sm:grid-cols-2">
    <TextField
      type="datetime-local"
      step={1}
      label="From"
      name="from"
      defaultValue={localText(range.from)}
      problem={problem}
      className="h-10 px-2.5 text-sm"
    />
    <TextField
      type="datetime-local"
      step={1}
      label="To"
      name="to"
      defaultValue={localText(range.to)}
      problem={undefined}
      className="h-10 px-2.5 text-sm"
    />
  </div>
);
