import type { CallView } from "@/api/types.gen";
import { type CallFilters, outcomes, sinces, sources } from "@/features/calls/call-filters";
import { FilterBar, SearchFilter, SelectFilter } from "@/shared/ui/filter-bar";
import { useLive } from "@/store/live-store";
import { useRead } from "@/store/query-client";

type Group = Pick<CallView, "provider" | "model" | "client">;

type CallFilterBarProps = {
  filters: CallFilters;
  onChange: (change: Partial<CallFilters>) => void;
  onClear: (() => void) | false;
};

/** What can be chosen is what there was. */
export const CallFilterBar = ({ filters, onChange, onClear }: CallFilterBarProps) => {
  const groups = useRead<{ groups: Group[] }>(
    "fixed",
    "/api/analytics/usage?period=all&groupBy=provider,model,client",
  ).data?.groups;
  const sessions = useLive((live) => live.state.sessions);
  const names = (of: keyof Group): { value: string; label: string }[] => {
    const known = (groups ?? []).map((group) => group[of]).filter((name) => name !== null && name !== "");
    return choices([...new Set(known)] as string[], filters[of]);
  };
  const places = [
    { value: "unassigned", label: "Unassigned" },
    ...sessions.map(({ view }) => ({ value: view.id, label: view.name })),
  ];
  const isListed = filters.session === "" || places.some(({ value }) => value === filters.session);
  const select = (name: keyof CallFilters) => ({
    value: filters[name],
    onChange: (value: string) => onChange({ [name]: value }),
  });
  return (
    <FilterBar
      search={<SearchFilter label="Search model, operation or client" {...select("search")} />}
      onClear={onClear}
    >
      <SelectFilter label="Time" any="Any time" options={sinces} {...select("since")} />
      <SelectFilter
        label="Session"
        any="Any session"
        options={isListed ? places : [...places, { value: filters.session, label: "An earlier session" }]}
        {...select("session")}
      />
      <SelectFilter label="Provider" any="Any provider" options={names("provider")} {...select("provider")} />
      <SelectFilter label="Model" any="Any model" options={names("model")} {...select("model")} />
      <SelectFilter label="Client" any="Any client" options={names("client")} {...select("client")} />
      <SelectFilter label="How it ended" any="Any end" options={outcomes} {...select("outcome")} />
      <SelectFilter label="Source of its numbers" any="Any source" options={sources} {...select("source")} />
      {filters.conversation && (
        <SelectFilter
          label="Conversation"
          any="Any conversation"
          options={[{ value: filters.conversation, label: "One conversation" }]}
          {...select("conversation")}
        />
      )}
    </FilterBar>
  );
};

/** A value that the address holds can be seen, also where nothing has it. */
const choices = (names: string[], chosen: string): { value: string; label: string }[] =>
  [...new Set(chosen === "" ? names : [...names, chosen])]
    .sort((a, b) => a.localeCompare(b))
    .map((name) => ({ value: name, label: name }));
