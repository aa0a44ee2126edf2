import { time } from "@/shared/format";
import { AlertIcon } from "@/shared/ui/icons";
import { useLive } from "@/store/live-store";

/** The alerts that last, for as long as they do. */
export const AlertBanners = () => {
  const alerts = useLive((live) => live.state.alerts);
  if (alerts.length === 0) return null;
  return (
    <section aria-label="Alerts" className="mb-4">
      <ul className="grid gap-2">
        {alerts.map((alert) => (
          <li
            key={alert.id}
            className="flex items-start gap-3 rounded-card border border-warn/25 bg-warn-soft px-4 py-3 text-sm"
          >
            <AlertIcon className="mt-0.5 size-4 text-warn" />
            <p className="min-w-0 flex-1">{alert.message}</p>
            <p className="text-xs whitespace-nowrap text-muted">since {time(alert.raisedAt)}</p>
          </li>
        ))}
      </ul>
    </section>
  );
};
