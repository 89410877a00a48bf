import type { WebSocketRoute } from "playwright-core";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { rowNames } from "../../../shared/contracts/rack.ts";
import { isoTime } from "../../../shared/time.ts";
import { type TestSite, testSite } from "../../integration/aggregator-harness.ts";
import { openBrowser } from "../../support/browser.ts";
import { openDashboard, soon } from "../../support/dashboard.ts";
import { hasProgram } from "../../support/debian-packages.ts";
import { eventually } from "../../support/eventually.ts";
import { NOMINAL_SAMPLE } from "../../support/readings.ts";

const LONG_MS = 120_000;

const sample = (rack_id: string, changes: object = {}) => ({
  ...NOMINAL_SAMPLE,
  ...{ rack_id, ts: isoTime(Date.now()) },
  ...changes,
});

describe.skipIf(!hasProgram("chromium"))("the dashboard", () => {
  let site: TestSite;
  beforeEach(async () => {
    site = await testSite({ config: { schedules: { timezone: "Asia/Kolkata" } } });
  });
  afterEach(() => site.close());

  it(
    "goes on by polling when its connection breaks, and afterwards has what it missed",
    async () => {
      const browser = await openBrowser();
      const page = await browser.newPage();
      const connections: { url: string; route: WebSocketRoute }[] = [];
      let refuse = false;
      await page.routeWebSocket(/ws\/events/, (route) => {
        connections.push({ url: route.url(), route });
        if (refuse) route.close();
        else route.connectToServer();
      });
      await page.goto(site.aggregator.http_url);
      await page.getByText("Live", { exact: true }).waitFor();
      await site.post("/mode", { mode: "closed_loop" }, { token: true });
      await page.locator(".news").getByText("The site: closed loop").waitFor();

      refuse = true;
      await connections[0]!.route.close();
      await page.getByText("Reconnecting").waitFor();
      await site.post("/mode", { kill_switch: true }, { token: true });
      await page.locator("header").getByText("Kill switch on").waitFor();
      expect(await page.locator(".news").getByText("Kill switch on: nothing is driven").count()).toBe(0);

      refuse = false;
      await page.getByText("Live", { exact: true }).waitFor();
      await page.locator(".news").getByText("Kill switch on: nothing is driven").waitFor();
      expect(connections.at(-1)?.url).toMatch(/[?&]since=\w+-\d+/);
    },
    LONG_MS,
  );

  it(
    "is not live while its connection is open but silent: it polls, and connects anew",
    async () => {
      const browser = await openBrowser();
      const page = await browser.newPage();
      let connections = 0;
      let silent = false;
      await page.routeWebSocket(/ws\/events/, (route) => {
        connections++;
        const server = route.connectToServer();
        server.onMessage((message) => {
          if (!silent) route.send(message);
        });
      });
      await page.goto(site.aggregator.http_url);
      await page.getByText("Live", { exact: true }).waitFor();
      expect(connections).toBe(1);
      silent = true;
      await eventually("another connection", () => connections > 1, 30_000);
      await site.post("/mode", { kill_switch: true }, { token: true });
      silent = false;
      await page.locator("header").getByText("Kill switch on").waitFor();
      await page.getByText("Live", { exact: true }).waitFor();
    },
    LONG_MS,
  );

  it(
    "asks for the whole again once it is subscribed: what changed before that is not sent to it",
    async () => {
      // Another page is there already, and was told of everything.
      const other = new WebSocket(`${site.aggregator.http_url.replace("http", "ws")}/ws/events?overview=1`);
      onTestFinished(() => other.terminate());
      await new Promise((resolve) => other.once("message", resolve));
      const browser = await openBrowser();
      const page = await browser.newPage();
      const first = Promise.withResolvers<void>();
      let asked = 0;
      await page.route("**/state/overview", async (route) => {
        const response = await route.fetch();
        const body = await response.json();
        if (asked++ === 0) body.rack_list[0].online = true;
        await route.fulfill({ response, json: body });
        first.resolve();
      });
      await page.routeWebSocket(/ws\/events/, async (route) => {
        await first.promise;
        route.connectToServer();
      });
      await page.goto(site.aggregator.http_url);
      await page.getByText("Live", { exact: true }).waitFor();
      await page.locator("#cell-R-A-01.stale").waitFor();
    },
    LONG_MS,
  );

  it(
    "has the kill switch also where the mode cannot be read, and says why that is so",
    async () => {
      const browser = await openBrowser();
      const page = await browser.newPage();
      await page.route("**/mode", (route) =>
        route.request().method() === "GET"
          ? route.fulfill({ status: 500, json: { error: { message: "The store does not answer." } } })
          : route.continue(),
      );
      await page.goto(`${site.aggregator.http_url}/#/optimizer`);
      await page.getByText("The store does not answer.").waitFor();
      await page.getByRole("button", { name: "Kill switch: stop everything" }).click();
      await page.getByRole("button", { name: "Stop everything", exact: true }).click();
      await page.getByRole("textbox", { name: "Token" }).fill(site.aggregator.api_token);
      await page.getByRole("button", { name: "Use token" }).click();
      await page.getByRole("button", { name: "Lift the kill switch" }).waitFor();
    },
    LONG_MS,
  );

  it(
    "does not call a rack well that has not reported for long",
    async () => {
      await site.post("/telemetry", sample("R-B-03"));
      const browser = await openBrowser();
      const page = await browser.newPage();
      // The site as it is ten minutes later.
      await page.routeWebSocket(/ws\/events/, (route) => route.close());
      await page.route("**/state/overview", async (route) => {
        const response = await route.fetch();
        const body = await response.json();
        body.ts = isoTime(Date.now() + 600_000);
        for (const rack of body.rack_list) rack.online = false;
        await route.fulfill({ response, json: body });
      });
      await page.goto(`${site.aggregator.http_url}/#/racks/R-B-03`);
      await page.getByText(/^Nothing recent is known: the last data came 10\smin ago/).waitFor();
      expect(await page.getByText("As in training").count()).toBe(0);
    },
    LONG_MS,
  );

  it(
    "shows the course of a rack that begins to report while its page is open",
    async () => {
      const browser = await openBrowser();
      const page = await browser.newPage();
      await page.clock.install();
      await page.goto(`${site.aggregator.http_url}/#/racks/R-B-02`);
      await page.getByRole("img", { name: "Inlet: no data" }).waitFor();
      await site.post("/telemetry", sample("R-B-02", { inlet_c: 25 }));
      await page.clock.fastForward(61_000);
      await page.getByRole("img", { name: /^Inlet: now 25\.0/ }).waitFor();
      // From then on by single samples.
      await site.post("/telemetry", sample("R-B-02", { inlet_c: 26 }));
      await page.getByRole("img", { name: /^Inlet: now 26\.0/ }).waitFor();
    },
    LONG_MS,
  );

  it(
    "shows time and temperature as its user likes them, and remembers it",
    async () => {
      await site.post("/telemetry", sample("R-A-01", { inlet_c: 25 }));
      const { page, problems } = await openDashboard(site.aggregator.http_url);
      const first = page.locator("#cell-R-A-01");
      await first.getByText("25.0").waitFor();
      await page.getByRole("button", { name: "Settings" }).click();
      await page.getByText("Site (Asia/Kolkata)").waitFor();
      const clock = async () => (await page.locator(".top-clock").textContent())?.slice(0, 2);
      const hour_in = (timeZone: string) =>
        new Intl.DateTimeFormat("en-GB", { hour: "2-digit", timeZone }).format(Date.now());
      expect(await clock()).toBe(hour_in("Asia/Kolkata"));
      await page.getByRole("radio", { name: "UTC", exact: true }).check();
      await eventually("UTC", async () => (await clock()) === hour_in("UTC"));
      await page.getByRole("radio", { name: "°F", exact: true }).check();
      await page.getByRole("radio", { name: "Dark", exact: true }).check();
      await first.getByText("77.0").waitFor();

      await page.reload();
      await first.getByText("77.0").waitFor();
      expect(await page.evaluate("document.documentElement.style.colorScheme")).toBe("dark");
      expect(problems).toEqual([]);
    },
    LONG_MS,
  );

  it(
    "is used by the keyboard alone: help, pages by their letters, the way past the navigation",
    async () => {
      const { page, violations } = await openDashboard(site.aggregator.http_url);
      await page.keyboard.press("?");
      await page.getByRole("dialog", { name: "Help" }).waitFor();
      expect(await violations()).toEqual([]);
      await page.keyboard.press("Escape");
      await soon(() => page.getByRole("dialog").count()).toBe(0);
      for (const [key, title] of Object.entries({
        i: "Incidents",
        o: "Optimizer",
        m: "Models",
        c: "Scenarios",
      })) {
        await page.keyboard.press(key);
        await page.getByRole("heading", { name: title, level: 1 }).waitFor();
        await soon(() => page.title()).toContain(title);
      }
      await page.keyboard.press("s");
      await page.locator("#cell-R-A-01").waitFor();
      await page.locator(".skip").focus();
      await page.keyboard.press("Enter");
      await soon(() => page.evaluate("document.activeElement.id")).toBe("main");
    },
    LONG_MS,
  );

  it(
    "says so where there is nothing: no such page, no such rack, no data yet",
    async () => {
      const { page } = await openDashboard(site.aggregator.http_url, "#/nowhere");
      await page.getByText("There is no such page.").waitFor();
      await page.goto(`${site.aggregator.http_url}/#/racks/R-Z-99`);
      await page.getByText("There is no such rack.").waitFor();
      await page.goto(`${site.aggregator.http_url}/#/racks/R-B-02`);
      await page.getByText("No score yet: there is no telemetry, or no model.").waitFor();
      await page.getByRole("img", { name: "Inlet: no data" }).waitFor();
    },
    LONG_MS,
  );
});

it.skipIf(!hasProgram("chromium"))(
  "a floor of 2,004 racks is shown whole, and a rack's change is seen in its cell",
  async () => {
    const rows = rowNames(167);
    const site = await testSite({ config: { rows, racks_per_row: 12 } });
    const rack_ids = rows.flatMap((row) =>
      Array.from({ length: 12 }, (_, i) => `R-${row}-${String(i + 1).padStart(2, "0")}`),
    );
    const { status } = await site.post("/telemetry", { samples: rack_ids.map((rack_id) => sample(rack_id)) });
    expect(status).toBe(200);
    const { page, problems } = await openDashboard(site.aggregator.http_url);
    await page.locator(".cell").nth(2_003).waitFor();
    expect(await page.locator(".cell.stale").count()).toBe(0);
    await site.post("/telemetry", sample("R-FK-12", { inlet_c: 31 }));
    const changed = page.locator("#cell-R-FK-12[aria-label*='31.0']");
    await changed.waitFor();
    await changed.click();
    await page.getByRole("heading", { name: "Rack R-FK-12" }).waitFor();
    expect(problems).toEqual([]);
    await site.close();
  },
  LONG_MS,
);
