import { ConnectionPill } from "@/app/connection-pill";
import { MoonMark, SearchIcon } from "@/shared/ui/icons";
import { showOverlay } from "@/store/ui-store";

/** The head of a narrow page; a wide one has the sidebar. */
export const TopBar = () => (
  <header className="mx-auto flex w-full items-center gap-2.5 px-4 py-3.5 sm:px-6 print:hidden">
    <MoonMark />
    <span className="text-[1.0625rem] font-semibold tracking-tight">Moonlock</span>
    <div className="ml-auto flex items-center gap-2">
      <ConnectionPill />
      <button
        type="button"
        onClick={() => showOverlay("palette")}
        aria-label="Go to…"
        className="grid size-9 place-items-center rounded-full border border-line bg-surface text-muted hover:text-ink"
      >
        <SearchIcon />
      </button>
    </div>
  </header>
);
