import { useState } from "react";
import { NavLink } from "@/app/nav-link";
import { pages } from "@/app/pages";
import { ThemeToggle } from "@/app/theme-toggle";
import { Drawer } from "@/shared/ui/drawer";
import { MenuIcon } from "@/shared/ui/icons";

/** The pages with a place of their own in the bar. */
const IN_BAR = ["/", "/sessions", "/calls", "/alerts"];

const ENTRY =
  "relative flex h-14 flex-1 flex-col items-center justify-center gap-1 text-[0.6875rem] font-medium text-muted aria-[current=page]:text-accent [&>[data-count]]:absolute [&>[data-count]]:top-1 [&>[data-count]]:left-1/2 [&>[data-count]]:ml-1";

/** The navigation of a narrow page, within the thumb's reach. */
export const BottomBar = () => {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <nav
        aria-label="Pages"
        className="fixed inset-x-0 bottom-0 z-20 flex border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] print:hidden"
      >
        {pages
          .filter(({ path }) => IN_BAR.includes(path))
          .map((page) => (
            <NavLink key={page.path} page={page} className={ENTRY} />
          ))}
        <button type="button" onClick={() => setIsOpen(true)} aria-haspopup="dialog" className={ENTRY}>
          <MenuIcon />
          More
        </button>
      </nav>
      {isOpen && (
        <Drawer title="All pages" onClose={() => setIsOpen(false)}>
          <ul className="grid gap-0.5">
            {pages.map((page) => (
              <li key={page.path}>
                <NavLink
                  page={page}
                  onGo={() => setIsOpen(false)}
                  className="flex h-11 items-center gap-3 rounded-lg px-3 text-sm font-medium text-muted hover:bg-sunken aria-[current=page]:bg-accent/10 aria-[current=page]:text-ink"
                />
              </li>
            ))}
          </ul>
          <div className="mt-6 flex items-center justify-between px-3 text-sm text-muted">
            Theme
            <ThemeToggle />
          </div>
        </Drawer>
      )}
    </>
  );
};
