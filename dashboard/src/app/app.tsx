import { AlertBanners } from "@/app/alert-banners";
import { Announcer } from "@/app/announcer";
import { Header } from "@/app/header";
import { LivePage } from "@/features/live/live-page";

export const App = () => (
  <div className="flex min-h-dvh flex-col">
    <a
      href="#main"
      className="sr-only z-10 rounded-lg bg-surface px-4 py-2 focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
    >
      Skip to content
    </a>
    <Header />
    <main
      id="main"
      tabIndex={-1}
      className="mx-auto w-full max-w-[90rem] flex-1 px-4 pb-16 outline-none sm:px-6 lg:px-10"
    >
      <AlertBanners />
      <LivePage />
    </main>
    <Announcer />
  </div>
);
