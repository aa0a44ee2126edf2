import { useState } from "react";
import { Fact } from "@/features/settings/fact";
import { ZoneDialog } from "@/features/settings/zone-dialog";
import { offsetText } from "@/features/settings/zones";
import { time } from "@/shared/format";
import { Button } from "@/shared/ui/button";
import { Panel } from "@/shared/ui/panel";
import { Segmented } from "@/shared/ui/segmented";
import { useSeconds } from "@/shared/use-frames";
import { zone, zoneName } from "@/shared/zone";
import { serverNow, useLive } from "@/store/live-store";
import { setTheme, type Theme, useUi } from "@/store/ui-store";

const themes: { value: Theme; label: string }[] = [
  { value: "system", label: "System" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
];

/** How this browser shows what there is. */
export const GeneralPanel = () => {
  const { theme, timeZone } = useUi();
  const clock = useLive((live) => live.state.clock);
  const [choosing, setChoosing] = useState(false);
  const seconds = useSeconds(true);
  const now = clock.serverAt === 0 ? Date.now() : serverNow(clock, Math.max(seconds, clock.receivedAt));
  return (
    <Panel title="General">
      <p className="px-5 pb-3 text-sm text-muted">Kept in this browser; another may have its own.</p>
      <dl className="pb-1 text-sm">
        <Fact
          label="Time zone"
          about={`Times are written in it, and days begin at its midnight. It is ${time(now)} there now.`}
        >
          <div className="flex flex-wrap items-center gap-x-3 gap-y-2 md:justify-end">
            <span data-testid="zone">
              {zoneName(zone())}, {offsetText(zone(), now)}
              {timeZone === null && <span className="text-muted"> · this browser’s</span>}
            </span>
            <Button
              size="small"
              className="-my-1"
              aria-label="Change the time zone"
              onClick={() => setChoosing(true)}
            >
              Change
            </Button>
          </div>
        </Fact>
        <Fact label="Theme" about="System follows what your computer says.">
          <div className="flex md:justify-end">
            <Segmented label="Theme" options={themes} value={theme} onChange={setTheme} />
          </div>
        </Fact>
      </dl>
      {choosing && <ZoneDialog now={now} onClose={() => setChoosing(false)} />}
    </Panel>
  );
};
