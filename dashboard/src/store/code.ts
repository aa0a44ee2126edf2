/**
 * The page's own code, part by part. It comes from the server as all else does, which may be away when it is wanted.
 */
import { type ComponentType, type LazyExoticComponent, lazy } from "react";
import { useLive } from "@/store/live-store";

/** Between two tries while the server seems to be there. */
const PAUSE_MS = 1_000;
/** So many tries with the server there mean that it has other code now: a newer version was started. */
const TRIES = 2;
const RELOADED = "moonlock.reloaded";
/** Sooner again than this, a reload that did not help would be followed by the next. */
const RELOAD_ONCE_IN_MS = 30_000;

/**
 * Loads a part of the code, however long the server is away. Where it is there and the part is not, the page is
 * loaded anew, once: it then knows the parts by their new names.
 */
export const patiently = async <Part>(load: () => Promise<Part>): Promise<Part> => {
  for (let tries = 1; ; ) {
    try {
      return await load();
    } catch (error) {
      if (!(await isThere())) await comeback();
      else if (tries < TRIES) tries += 1;
      else if (!reloadOnce()) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
};

/** A component whose code is loaded when it is first shown. */
export const later = <Props = object>(
  load: () => Promise<ComponentType<Props>>,
): LazyExoticComponent<ComponentType<Props>> => lazy(async () => ({ default: await patiently(load) }));

const isThere = (): Promise<boolean> =>
  fetch("/api/health").then(
    () => true,
    () => false,
  );

/** Waits until the connection is new, or whole. */
const comeback = (): Promise<void> =>
  new Promise((resolve) => {
    let wasLost = useLive.getState().connection.kind !== "live";
    const stop = useLive.subscribe(({ connection }) => {
      if (connection.kind !== "live") wasLost = true;
      else if (wasLost) {
        stop();
        resolve();
      }
    });
  });

const reloadOnce = (): boolean => {
  const last = Number(sessionStorage.getItem(RELOADED));
  if (Date.now() - last < RELOAD_ONCE_IN_MS) return false;
  sessionStorage.setItem(RELOADED, String(Date.now()));
  window.location.reload();
  return true;
};
