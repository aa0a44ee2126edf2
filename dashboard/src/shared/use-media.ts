import { useCallback, useSyncExternalStore } from "react";

/** Whether a media query holds now. */
export const useMedia = (query: string): boolean => {
  const follow = useCallback(
    (changed: () => void) => {
      const media = window.matchMedia(query);
      media.addEventListener("change", changed);
      return () => media.removeEventListener("change", changed);
    },
    [query],
  );
  return useSyncExternalStore(follow, () => window.matchMedia(query).matches);
};

/** Whether there is room for the sidebar, and for details beside a list. */
export const useIsWide = (): boolean => useMedia("(min-width: 64rem)");
