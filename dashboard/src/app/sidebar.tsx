import { Link } from "wouter";
import { ConnectionPill } from "@/app/connection-pill";
import { NavLink } from "@/app/nav-link";
import { pages } from "@/app/pages";
import { ThemeToggle } from "@/app/theme-toggle";
import { KeyboardIcon, MoonMark, SearchIcon } from "@/shared/ui/icons";
import { Keys } from "@/shared/ui/keys";
import { zoneName } from "@/shared/zone";
import { useLive } from "@/store/live-store";
import { showOverlay, useUi } from "@/store/ui-store";

export const Sidebar = () => {
  const version = useLive((live) => live.state.version);
  const timeZone = useUi((ui) => ui.timeZone);
  return (
    <header className="sticky top-0 flex h-dvh flex-col gap-4 overflow-y-auto border-r border-line bg-surface/60 px-3 py-5 print:hidden">
      <p className="flex items-center gap-2.5 px-2">
        <MoonMark />
        <span className="text-[1.0625rem] font-semibold tracking-tight">Moonlock</span>
      </p>
      <button
        type="button"
        onClick={() => showOverlay("palette")}
        className="flex h-9 shrink-0 items-center gap-2 rounded-lg border border-line bg-surface px-2.5 text-sm text-muted hover:border-control hover:text-ink"
      >
        <SearchIcon className="size-3.5" />
        Go to…
        <Keys of="mod+k" className="ml-auto" />
      </button>
      <nav aria-label="Pages">
        <ul className="grid gap-0.5">
          {pages.map((page) => (
            <li key={page.path}>
              <NavLink
                page={page}
                className="flex h-9 items-center gap-2.5 rounded-lg px-2.5 text-sm font-medium text-muted hover:bg-sunken hover:text-ink aria-[current=page]:bg-accent/10 aria-[current=page]:text-ink aria-[current=page]:[&>svg]:text-accent"
              />
            </li>
          ))}
        </ul>
      </nav>
      <div className="mt-auto grid gap-3 px-1 pt-4">
        <div>
          <ConnectionPill />
        </div>
        <div className="flex items-center justify-between gap-2">
          <ThemeToggle />
          <button
            type="button"
            onClick={() => showOverlay("shortcuts")}
            aria-label="Keyboard shortcuts"
            title="Keyboard shortcuts"
            className="grid size-8 place-items-center rounded-full text-muted hover:bg-sunken hover:text-ink"
          >
            <KeyboardIcon />
          </button>
        </div>
        {timeZone && (
          <Link href="/settings" className="px-1 text-xs text-pretty text-muted hover:text-ink">
            Times in {zoneName(timeZone)}
          </Link>
        )}
        {version && <p className="px-1 text-xs text-muted">Version {version}</p>}
      </div>
    </header>
  );
};
