import { ConnectionPill } from "@/app/connection-pill";
import { ThemeToggle } from "@/app/theme-toggle";
import { MoonMark } from "@/shared/ui/icons";

export const Header = () => (
  <header className="mx-auto flex w-full max-w-[90rem] items-center gap-3 px-4 py-4 sm:px-6 lg:px-10">
    <MoonMark />
    <span className="text-[1.0625rem] font-semibold tracking-tight">Moonlock</span>
    <div className="ml-auto flex items-center gap-2 sm:gap-4">
      <ConnectionPill />
      <ThemeToggle />
    </div>
  </header>
);
