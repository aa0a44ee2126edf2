import { QueryClientProvider } from "@tanstack/react-query";
import { Announcer } from "@/app/announcer";
import { BottomBar } from "@/app/bottom-bar";
import { Overlays } from "@/app/overlays";
import { PageFrame } from "@/app/page-frame";
import { Sidebar } from "@/app/sidebar";
import { StateNotes } from "@/app/state-notes";
import { TopBar } from "@/app/top-bar";
import { useFirstRun } from "@/app/use-first-run";
import { useIsWide } from "@/shared/use-media";
import { queryClient } from "@/store/query-client";
import { useUi } from "@/store/ui-store";

export const App = () => {
  const isWide = useIsWide();
  useFirstRun();
  // Every page writes times: where the zone changes, all that is in sight is written anew.
  useUi((ui) => ui.timeZone);
  return (
    <QueryClientProvider client={queryClient}>
      <div className={isWide ? "grid grid-cols-[13.5rem_minmax(0,1fr)] print:block" : ""}>
        <a
          href="#main"
          className="sr-only z-30 rounded-lg bg-surface px-4 py-2 focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
        >
          Skip to content
        </a>
        {isWide ? <Sidebar /> : <TopBar />}
        <main
          id="main"
          tabIndex={-1}
          className="mx-auto w-full max-w-[100rem] min-w-0 px-4 pb-28 outline-none sm:px-6 lg:min-h-dvh lg:px-8 lg:pt-4 lg:pb-16 print:p-0"
        >
          <StateNotes />
          <PageFrame />
        </main>
        {!isWide && <BottomBar />}
      </div>
      <Overlays />
      <Announcer />
    </QueryClientProvider>
  );
};
