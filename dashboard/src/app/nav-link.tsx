import { Link, useLocation } from "wouter";
import { isAt, type Page } from "@/app/pages";
import { asking } from "@/shared/alerts";
import { useLive } from "@/store/live-store";

type NavLinkProps = { page: Page; className: string; onGo?: () => void };

/** A page's entry in a navigation. Its code is fetched when the pointer or the focus comes near. */
export const NavLink = ({ page, className, onGo }: NavLinkProps) => {
  const [location] = useLocation();
  const { path, label, Icon, load } = page;
  const early = (): void => void load().catch(() => {});
  return (
    <Link
      href={path}
      aria-current={isAt(page, location) ? "page" : undefined}
      onPointerEnter={early}
      onFocus={early}
      onClick={() => onGo?.()}
      className={className}
    >
      <Icon />
      <span>{label}</span>
      {path === "/alerts" && <AlertCount />}
    </Link>
  );
};

/** How many alerts ask to be looked at. */
const AlertCount = () => {
  const alerts = useLive((live) => asking(live.state.alerts).length);
  if (alerts === 0) return null;
  return (
    <span
      data-count
      className="ml-auto grid h-5 min-w-5 place-items-center rounded-full bg-accent px-1.5 text-[0.6875rem] font-semibold text-on-accent"
    >
      <span aria-hidden="true">{alerts}</span>
      <span className="sr-only">, {alerts} to look at</span>
    </span>
  );
};
