/**
 * Which alerts are in sight. What comes or ends while they are read waits until it is asked for: a page that moved
 * would put another button below the pointer. Pure.
 */
import type { AlertView } from "@/api/types.gen";
import { asking, standing } from "@/shared/alerts";

/** An alert in its place, as it was known last. */
export type SeenAlert = { alert: AlertView; isOver: boolean };

/** All that stand, in their order. */
export const look = (alerts: AlertView[]): SeenAlert[] =>
  standing(alerts).map((alert) => ({ alert, isOver: false }));

/** The same ones in the same places, as they are now; one that stands no more is over. */
export const follow = (seen: readonly SeenAlert[], alerts: readonly AlertView[]): SeenAlert[] =>
  seen.map(({ alert }) => {
    const known = alerts.find(({ id }) => id === alert.id);
    return { alert: known ?? alert, isOver: known === undefined };
  });

/** Those that came since, what matters most first. A silent one need not be told of. */
export const unseen = (seen: readonly SeenAlert[], alerts: AlertView[]): AlertView[] =>
  asking(alerts).filter(({ id }) => !seen.some(({ alert }) => alert.id === id));
