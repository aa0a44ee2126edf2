import { useState } from "react";
import { allZones, offsetText, zonesWith } from "@/features/settings/zones";
import { Dialog } from "@/shared/ui/dialog";
import { SearchFilter } from "@/shared/ui/filter-bar";
import { browserZone, zoneName } from "@/shared/zone";
import { setTimeZone, useUi } from "@/store/ui-store";

/** So many are offered at once; the search finds every other. */
const OFFERED = 40;

/** Chooses the zone that times are written in. */
export const ZoneDialog = ({ now, onClose }: { now: number; onClose: () => void }) => {
  const chosen = useUi((ui) => ui.timeZone);
  const [zones] = useState(() => allZones(now));
  const [typed, setTyped] = useState("");
  const found = zonesWith(zones, typed);
  const choose = (name: string | null): void => {
    setTimeZone(name);
    onClose();
  };
  const own = browserZone();
  return (
    <Dialog title="Time zone" onClose={onClose} placement="top">
      <div className="*:max-w-none!">
        <SearchFilter label="Search city, region or name" value={typed} onChange={setTyped} />
      </div>
      <ul className="-mx-2 mt-3 grid max-h-[50dvh] gap-0.5 overflow-y-auto">
        {typed === "" && (
          <Offer
            name="This browser’s"
            about={`now ${zoneName(own)}, ${offsetText(own, now)}`}
            chosen={chosen === null}
            onClick={() => choose(null)}
          />
        )}
        {found.slice(0, OFFERED).map(({ name, called }) => (
          <Offer
            key={name}
            name={zoneName(name)}
            about={`${called}, ${offsetText(name, now)}`}
            chosen={chosen === name}
            onClick={() => choose(name)}
          />
        ))}
        {found.length === 0 && <li className="px-3 py-2 text-sm text-muted">No zone fits “{typed}”.</li>}
      </ul>
      {found.length > OFFERED && (
        <p className="mt-2 text-xs text-muted">
          The first {OFFERED} of {found.length}. Type a city to find the others.
        </p>
      )}
    </Dialog>
  );
};

type OfferProps = { name: string; about: string; chosen: boolean; onClick: () => void };

const Offer = ({ name, about, chosen, onClick }: OfferProps) => (
  <li>
    <button
      type="button"
      aria-pressed={chosen}
      onClick={onClick}
      className="grid w-full gap-0.5 rounded-lg px-3 py-2 text-left text-sm hover:bg-sunken focus-visible:outline-offset-0 aria-pressed:bg-accent/10"
    >
      <span className="truncate font-medium">{name}</span>
      <span className="text-xs text-muted">{about}</span>
    </button>
  </li>
);
