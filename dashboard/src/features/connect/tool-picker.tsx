import type { Tool } from "@/api/types.gen";
import { lastSeen } from "@/features/connect/arrivals";
import { useLive } from "@/store/live-store";

type ToolPickerProps = { tools: readonly Tool[]; chosen: string; onChoose: (id: string) => void };

/** The tools; those whose calls came lately have a mark. */
export const ToolPicker = ({ tools, chosen, onChoose }: ToolPickerProps) => {
  const calls = useLive((live) => live.state.calls);
  return (
    <nav aria-label="Tools" className="card min-w-0 p-2">
      <ul className="flex flex-wrap gap-1 xl:grid xl:gap-0.5">
        {tools.map((tool) => (
          <li key={tool.id}>
            <button
              type="button"
              aria-current={tool.id === chosen ? "true" : undefined}
              onClick={() => onChoose(tool.id)}
              className="flex min-h-9 w-full items-center gap-2 rounded-lg px-2.5 py-1 text-left text-sm text-muted hover:bg-sunken hover:text-ink aria-[current=true]:bg-accent/10 aria-[current=true]:font-medium aria-[current=true]:text-ink"
            >
              {tool.name}
              {lastSeen(calls, tool) !== undefined && (
                <span className="ml-auto size-1.5 shrink-0 rounded-full bg-good" title="Its calls arrive">
                  <span className="sr-only">, connected</span>
                </span>
              )}
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
};
