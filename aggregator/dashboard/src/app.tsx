import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { connection, is_loaded, now_ms, open_incidents, site, site_name } from "./data/live.ts";
import { clock } from "./format/time.ts";
import { PAGES, type Page } from "./pages/index.ts";
import { NotFound } from "./pages/not-found.tsx";
import { Explanation } from "./parts/explain.tsx";
import { go, href, route } from "./router.ts";
import { Badge, ModeBadge } from "./ui/badge.tsx";
import { Dialogs } from "./ui/dialog.tsx";
import { Help } from "./ui/help.tsx";
import { Icon } from "./ui/icons.tsx";
import { Settings } from "./ui/settings.tsx";
import { Loading, Problem } from "./ui/states.tsx";
import { Toasts } from "./ui/toast.tsx";

type Overlay = "help" | "settings" | null;
const overlay = signal<Overlay>(null);
const close = () => {
  overlay.value = null;
};

/** Everything around the pages. */
export function App(): JSX.Element {
  useEffect(() => listenToKeys(), []);
  const { page: name, parts } = route.value;
  const page = PAGES.find((candidate) => candidate.path === name);
  const title = page?.title ?? "Not found";
  useEffect(() => {
    document.title = `${parts[0] ? `${parts[0]} · ` : ""}${title} · Skadi ${site_name.value}`;
  });
  return (
    <div class="frame">
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
        Skip to the content
      </button>
      <Header />
      <Navigation current={page} />
      <main id="main" tabIndex={-1}>
        <Content page={page} parts={parts} />
      </main>
      <Toasts />
      {overlay.value === "help" ? <Help onClose={close} /> : null}
      {overlay.value === "settings" ? <Settings onClose={close} /> : null}
      <Explanation />
      <Dialogs />
    </div>
  );
}

function Content({ page, parts }: { page: Page | undefined; parts: readonly string[] }): JSX.Element {
  if (!page) return <NotFound what="page" />;
  if (!is_loaded.value) {
    return connection.value === "lost" ? (
      <Problem error={new Error("The aggregator does not answer. This page keeps trying.")} />
    ) : (
      <Loading lines={6} label="Loading the site" />
    );
  }
  return <page.View parts={parts} />;
}

function Header(): JSX.Element {
  return (
    <header class="top">
      <a class="brand" href={href("")}>
        <Snow />
        <span class="brand-name">Skadi</span>
        <span class="brand-site">{site_name.value}</span>
      </a>
      <div class="top-state">
        {is_loaded.value ? <SiteMode /> : null}
        <Live />
        {is_loaded.value ? <Clock /> : null}
      </div>
      <div class="top-buttons">
        <button
          type="button"
          class="ghost"
          aria-label="Settings"
          title="Settings"
          onClick={() => show("settings")}
        >
          <Icon name="settings" />
        </button>
        <button
          type="button"
          class="ghost"
          aria-label="Help and keys"
          title="Help and keys (?)"
          onClick={() => show("help")}
        >
          <Icon name="help" />
        </button>
      </div>
    </header>
  );
}

/** The site's own clock. */
function Clock(): JSX.Element {
  return <span class="top-clock">{clock(now_ms.value)}</span>;
}

const show = (what: Overlay) => {
  overlay.value = what;
};

function Snow(): JSX.Element {
  return (
    <svg class="snow" width="26" height="26" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path d="M16 4v24M5.600 10l20.800 12M26.400 10 5.600 22M12 5.500 16 9.500l4-4M12 26.500l4-4 4 4" />
    </svg>
  );
}

const MODE_TITLES = {
  killed: "Nothing is driven, whatever the mode",
  closed_loop: "Skadi drives fans, pumps and traffic within their limits",
  advisory: "Skadi advises and drives nothing",
};
const OTHERS_TITLE = "rows and racks with a mode of their own apart";

/** Whether Skadi may drive anything is the first thing to know about what it does. */
function SiteMode(): JSX.Element {
  const { mode, kill_switch, overrides } = site.value!;
  const exceptions = Object.keys(overrides.rows).length + Object.keys(overrides.racks).length;
  const more = exceptions > 0 ? ` +${exceptions}` : "";
  const title = `${MODE_TITLES[mode]}${exceptions > 0 ? `, ${OTHERS_TITLE}` : ""}`;
  const titles = { ...MODE_TITLES, [mode]: title };
  return <ModeBadge mode={mode} kill_switch={kill_switch} titles={titles} more={more} />;
}

function Live(): JSX.Element {
  const looks = {
    live: { tone: "ok", shape: "dot", text: "Live" },
    connecting: { tone: "muted", shape: "ring", text: "Connecting" },
    polling: { tone: "warn", shape: "triangle", text: "Reconnecting" },
    lost: { tone: "bad", shape: "square", text: "No connection" },
  } as const;
  const { tone, shape, text } = looks[connection.value];
  return (
    <span role="status">
      <Badge tone={tone} shape={shape}>
        {text}
      </Badge>
    </span>
  );
}

function Navigation({ current }: { current: Page | undefined }): JSX.Element {
  const open = open_incidents.value;
  return (
    <nav class="side" aria-label="Pages">
      <ul>
        {PAGES.filter(({ hidden }) => !hidden).map((page) => (
          <li key={page.path}>
            <a href={href(page.path)} aria-current={isUnder(current, page) ? "page" : undefined}>
              <Icon name={page.icon} />
              <span class="side-title">{page.title}</span>
              {page.path === "incidents" && open > 0 ? (
                <span class="count">
                  {open}
                  <span class="hidden"> open</span>
                </span>
              ) : null}
            </a>
          </li>
        ))}
      </ul>
      <p class="side-foot">
        <a href="/docs">API</a>
        <a href="/report/judges.html">Report</a>
      </p>
    </nav>
  );
}

const isUnder = (current: Page | undefined, page: Page) => current === page || current?.under === page.path;

/** Single keys, wherever no text is being typed: `?`, and the first letter of every page. */
function listenToKeys(): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const { target } = event;
    if (target instanceof HTMLElement && target.closest("input, select, textarea, dialog")) return;
    if (event.key === "?") overlay.value = overlay.value === "help" ? null : "help";
    const page = PAGES.find(({ key }) => key === event.key);
    if (page) go(page.path);
  };
  addEventListener("keydown", onKey);
  return () => removeEventListener("keydown", onKey);
}
