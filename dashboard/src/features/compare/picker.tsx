import { useState } from "react";
import type { SessionView } from "@/api/types.gen";
import { compact, day, plural } from "@/shared/format";
import { Button } from "@/shared/ui/button";
import { Dialog } from "@/shared/ui/dialog";
import { SearchFilter } from "@/shared/ui/filter-bar";
import { CloseIcon } from "@/shared/ui/icons";
import { Loaded } from "@/shared/ui/loaded";
import { queryString } from "@/shared/use-url-state";
import { serverNow, useLive } from "@/store/live-store";
import { useRead } from "@/store/query-client";

export const MEDIAN = "median";
export const MOST = 4;

type PickerProps = {
  /** Of sessions, or `MEDIAN`. */
  ids: string[];
  /** What is known of their names. */
  nameOf: (id: string) => string | undefined;
  onChange: (ids: string[]) => void;
};

/** What is compared, and what can be added to it. */
export const Picker = ({ ids, nameOf, onChange }: PickerProps) => {
  const [isAdding, setAdding] = useState(false);
  const name = (id: string): string => (id === MEDIAN ? "Your median" : (nameOf(id) ?? "A session"));
  return (
    <div className="mb-4 flex flex-wrap items-center gap-2 print:hidden">
      {ids.length > 0 && (
        <ul aria-label="What is compared" className="flex min-w-0 flex-wrap gap-2">
          {ids.map((id) => (
            <li
              key={id}
              className="flex h-9 max-w-72 items-center gap-1 rounded-lg border border-line bg-surface pr-1 pl-3 text-sm"
            >
              <span className="truncate">{name(id)}</span>
              <button
                type="button"
                aria-label={`Remove ${name(id)}`}
                onClick={() => onChange(ids.filter((other) => other !== id))}
                className="grid size-7 shrink-0 place-items-center rounded-md text-muted hover:bg-sunken hover:text-ink"
              >
                <CloseIcon className="size-3" />
              </button>
            </li>
          ))}
        </ul>
      )}
      {ids.length < MOST && (
        <Button
          variant={ids.length < 2 ? "primary" : "plain"}
          className="h-9! px-3!"
          onClick={() => setAdding(true)}
        >
          Add a session…
        </Button>
      )}
      {isAdding && (
        <AddDialog
          ids={ids}
          onClose={() => setAdding(false)}
          onAdd={(id) => {
            setAdding(false);
            onChange([...ids, id]);
          }}
        />
      )}
    </div>
  );
};

/** So many are offered at once; the search finds every other. */
const OFFERED = 20;

type AddDialogProps = { ids: string[]; onAdd: (id: string) => void; onClose: () => void };

const AddDialog = ({ ids, onAdd, onClose }: AddDialogProps) => {
  const [search, setSearch] = useState("");
  const clock = useLive((state) => state.state.clock);
  const now = serverNow(clock, clock.receivedAt);
  const read = useRead<{ sessions: SessionView[] }>(
    "sessions",
    `/api/sessions${queryString({ search, limit: OFFERED + MOST })}`,
  );
  return (
    <Dialog title="Add a session" onClose={onClose} placement="top">
      <div className="*:max-w-none!">
        <SearchFilter label="Search name, tag or note" value={search} onChange={setSearch} />
      </div>
      <div className="-mx-2 mt-3 max-h-[50dvh] overflow-y-auto">
        <Loaded of={read}>
          {({ sessions }) => {
            const offered = sessions.filter(({ id }) => !ids.includes(id)).slice(0, OFFERED);
            return (
              <ul className="grid gap-0.5">
                {search === "" && !ids.includes(MEDIAN) && (
                  <Offer name="Your median" about="of your finished sessions" onClick={() => onAdd(MEDIAN)} />
                )}
                {offered.map(({ id, name, startedAt, usage }) => (
                  <Offer
                    key={id}
                    name={name}
                    about={`${day(startedAt, now)} · ${compact(usage.total)} tokens in ${plural(usage.requests, "call")}`}
                    onClick={() => onAdd(id)}
                  />
                ))}
                {offered.length === 0 && search !== "" && (
                  <li className="px-3 py-2 text-sm text-muted">No session fits “{search}”.</li>
                )}
              </ul>
            );
          }}
        </Loaded>
      </div>
    </Dialog>
  );
};

type OfferProps = { name: string; about: string; onClick: () => void };

const Offer = ({ name, about, onClick }: OfferProps) => (
  <li>
    <button
      type="button"
      onClick={onClick}
      className="grid w-full gap-0.5 rounded-lg px-3 py-2 text-left text-sm hover:bg-sunken focus-visible:outline-offset-0"
    >
      <span className="truncate font-medium">{name}</span>
      <span className="text-xs text-muted">{about}</span>
    </button>
  </li>
);
