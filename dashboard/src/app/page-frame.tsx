import { Suspense, useEffect, useRef } from "react";
import { Route, Switch, useLocation } from "wouter";
import { ErrorBoundary } from "@/app/error-boundary";
import { NotFound } from "@/app/not-found";
import { PageWait } from "@/app/page-wait";
import { routes } from "@/app/pages";

/** The page of the address. What fails in it stays in it. */
export const PageFrame = () => {
  const [location] = useLocation();
  return (
    <ErrorBoundary key={location}>
      <Suspense fallback={<PageWait />}>
        <Switch>
          {routes.map(({ path, Content }) => (
            <Route key={path} path={path}>
              <Content />
            </Route>
          ))}
          <Route>
            <NotFound />
          </Route>
        </Switch>
        <Arrival location={location} />
      </Suspense>
    </ErrorBoundary>
  );
};

let arrivedAt = location.pathname;

/**
 * Moves the focus to the heading of the page that was gone to, so that a screen reader reads on there. It stands
 * beside the page and is mounted with it, once its code is here.
 */
const Arrival = ({ location: at }: { location: string }) => {
  const mark = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (arrivedAt === at) return;
    arrivedAt = at;
    const main = mark.current?.closest("main");
    const heading = main?.querySelector("h1");
    heading?.setAttribute("tabindex", "-1");
    (heading ?? main)?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [at]);
  return <span ref={mark} hidden />;
};
