/**
 * Filters that live in the address, so that a page can be kept, sent and gone back to.
 */
import { useCallback } from "react";
import { useSearchParams } from "wouter";

/** The values by name; what the address does not say is "". */
export const useUrlState = <Name extends string>(
  ...names: readonly Name[]
): [Record<Name, string>, (change: Partial<Record<Name, string>>) => void] => {
  const [params, setParams] = useSearchParams();
  const values = Object.fromEntries(names.map((name) => [name, params.get(name) ?? ""])) as Record<
    Name,
    string
  >;
  /** Replaces the address: a filter is no page to go back to. An empty value leaves it. */
  const change = useCallback(
    (changed: Partial<Record<Name, string>>): void =>
      setParams(
        (before) => {
          const after = new URLSearchParams(before);
          for (const [name, value] of Object.entries<string | undefined>(changed)) {
            if (value) after.set(name, value);
            else after.delete(name);
          }
          return after;
        },
        { replace: true },
      ),
    [setParams],
  );
  return [values, change];
};

/** `?a=1&b=2` of what is not empty; "" if nothing is. */
export const queryString = (values: Record<string, string | number | null | undefined>): string => {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== "" && value !== null && value !== undefined) params.set(name, String(value));
  }
  const text = params.toString();
  return text && `?${text}`;
};
