/**
 * What a page of another site can try against a port of this machine. It runs in the browser, so it uses nothing of this
 * file's surroundings.
 */

/** Where it tries: the dashboard's port and the proxy's, as `http://HOST:PORT`. */
export type Targets = { dashboard: string; proxy: string };

/** How each try ended, by its name: `refused`, or what it got. */
export type Outcomes = Record<string, string>;

export const attack = async ({ dashboard, proxy }: Targets): Promise<Outcomes> => {
  const outcomes: Outcomes = {};
  const chat = JSON.stringify({ model: "gpt-5-mini", messages: [{ role: "user", content: "hi" }] });
  const session = JSON.stringify({ name: "evil" });
  const timeout = <T>(value: T): Promise<T> =>
    new Promise((resolve) => setTimeout(() => resolve(value), 5_000));

  const read = async (name: string, url: string, options: RequestInit): Promise<void> => {
    try {
      const response = await fetch(url, options);
      // Of what was asked without CORS nothing can be read, not even how it ended: the server's state says that.
      const isOpaque = response.type === "opaque" || response.type === "opaqueredirect";
      outcomes[name] = isOpaque || !response.ok ? "refused" : `read ${(await response.text()).slice(0, 80)}`;
    } catch {
      outcomes[name] = "refused";
    }
  };
  const paths = ["/", "/api/live", "/api/calls", "/api/settings", "/api/export?format=csv", "/metrics"];
  for (const mode of ["cors", "no-cors", "same-origin"] as const) {
    for (const credentials of ["include", "omit"] as const) {
      for (const path of paths) {
        await read(`fetch ${mode} ${credentials} GET ${path}`, dashboard + path, { mode, credentials });
      }
      for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/json"]) {
        const options = { mode, credentials, method: "POST", headers: { "content-type": type } };
        await read(`fetch ${mode} ${credentials} POST session as ${type}`, `${dashboard}/api/sessions`, {
          ...options,
          body: session,
        });
        for (const path of ["/openai/v1/chat/completions", "/ollama/api/chat"]) {
          await read(`fetch ${mode} ${credentials} POST ${path} as ${type}`, proxy + path, {
            ...options,
            body: chat,
          });
        }
      }
      await read(`fetch ${mode} ${credentials} GET models`, `${proxy}/openai/v1/models`, {
        mode,
        credentials,
      });
    }
  }
  for (const method of ["PUT", "PATCH", "DELETE"]) {
    const body = JSON.stringify({ status: "completed" });
    const headers = { "content-type": "application/json" };
    await read(`fetch ${method} session`, `${dashboard}/api/sessions/SESSION`, { method, body, headers });
  }
  navigator.sendBeacon(`${dashboard}/api/sessions`, new Blob([session], { type: "text/plain" }));
  navigator.sendBeacon(`${proxy}/openai/v1/chat/completions`, new Blob([chat], { type: "text/plain" }));

  const sockets = [`${dashboard}/ws`, `${proxy}/openai/v1/realtime?model=gpt-realtime`];
  for (const url of sockets) {
    const opened = new Promise<string>((resolve) => {
      const socket = new WebSocket(url.replace("http", "ws"));
      socket.onopen = () => resolve("opened");
      socket.onerror = () => resolve("refused");
    });
    outcomes[`WebSocket ${new URL(url).pathname}`] = await Promise.race([opened, timeout("silent")]);
  }
  const listened = new Promise<string>((resolve) => {
    const source = new EventSource(`${dashboard}/api/live`);
    source.onopen = () => resolve("opened");
    source.onerror = () => resolve("refused");
  });
  outcomes["EventSource"] = await Promise.race([listened, timeout("silent")]);

  const load = async (name: string, element: HTMLElement): Promise<void> => {
    const loaded = new Promise<string>((resolve) => {
      element.onload = () => resolve("loaded");
      element.onerror = () => resolve("refused");
    });
    document.body.append(element);
    outcomes[name] = await Promise.race([loaded, timeout("silent")]);
  };
  for (const path of ["/favicon.svg", "/api/live", "/metrics"]) {
    await load(`image ${path}`, Object.assign(new Image(), { src: dashboard + path }));
    await load(`script ${path}`, Object.assign(document.createElement("script"), { src: dashboard + path }));
    const sheet = { rel: "stylesheet", href: dashboard + path };
    await load(`stylesheet ${path}`, Object.assign(document.createElement("link"), sheet));
  }
  await load("image of the proxy", Object.assign(new Image(), { src: `${proxy}/openai/v1/models` }));

  // What a form gets goes to a frame that cannot be read; the server's state says whether it did anything.
  const submit = async (action: string, enctype: string): Promise<void> => {
    const frame = Object.assign(document.createElement("iframe"), { name: `f${document.forms.length}` });
    const form = Object.assign(document.createElement("form"), {
      action,
      enctype,
      method: "post",
      target: frame.name,
    });
    // As `{"name":"evil","a":"="}`.
    form.append(
      Object.assign(document.createElement("input"), { name: '{"name":"evil","a":"', value: '"}' }),
    );
    document.body.append(frame, form);
    const over = new Promise((resolve) => {
      frame.onload = resolve;
    });
    form.submit();
    await Promise.race([over, timeout(undefined)]);
  };
  const types = ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded"];
  const actions = [
    `${dashboard}/api/sessions`,
    `${dashboard}/sign-in`,
    `${proxy}/openai/v1/chat/completions`,
  ];
  await Promise.all(types.flatMap((type) => actions.map((action) => submit(action, type))));
  const look = async (url: string): Promise<void> => {
    const frame = Object.assign(document.createElement("iframe"), { src: url });
    const over = new Promise((resolve) => {
      frame.onload = resolve;
    });
    document.body.append(frame);
    await Promise.race([over, timeout(undefined)]);
    outcomes[`frame ${url}`] = frame.contentDocument === null ? "refused" : "readable";
  };
  await Promise.all([`${dashboard}/`, `${dashboard}/api/live`, `${proxy}/openai/v1/models`].map(look));
  return outcomes;
};
