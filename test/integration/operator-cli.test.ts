import { createServer } from "node:http";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { Overview } from "../../shared/contracts/overview.ts";
import { parsePayload } from "../../shared/contracts/parse.ts";
import { isoTime } from "../../shared/time.ts";
import { hasProgram } from "../support/debian-packages.ts";
import { eventually } from "../support/eventually.ts";
import { freeTcpPort } from "../support/ports.ts";
import { runProgram, startProgram } from "../support/program.ts";
import { openTerminal } from "../support/terminal.ts";
import { HOT, sample, type TestSite, testSite } from "./aggregator-harness.ts";

// Every command is a process of its own.
vi.setConfig({ testTimeout: 120_000 });

let site: TestSite;
let env: Record<string, string>;
let seq = 0;

beforeAll(async () => {
  // A fixed port, so that it is the same site after a restart.
  site = await testSite({ config: { http: { port: await freeTcpPort() }, mms: { ticks: 2 } } });
  env = { SKADI_URL: site.aggregator.http_url, SKADI_TOKEN: site.aggregator.api_token };
});
afterAll(() => site.close());

const cli = (...args: string[]) => runProgram("aggregator", args, { env });
const json = async (...args: string[]) => {
  const { code, stdout, stderr } = await cli(...args, "--json");
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout);
};

/** Until MMS says persistent and an incident is open. */
async function heatUp(rack_id: string): Promise<string> {
  for (let n = 0; n < 6; n++) await site.post("/telemetry", sample(rack_id, { ...HOT, seq: ++seq }));
  return eventually("the incident", async () => {
    const { body } = await site.get("/incidents?status=open");
    return body.incidents.find(({ racks }: { racks: { rack_id: string }[] }) => racks[0]?.rack_id === rack_id)
      ?.id;
  });
}

describe("a command that cannot do what it is asked", () => {
  const COMMANDS = "top incidents maintenance mode actions optimizer drift logs report".split(" ");
  it("says which address did not answer, where it is from, and what to do", async () => {
    const nothing = { SKADI_URL: "", SKADI_HTTP_PORT: String(await freeTcpPort()) };
    for (const command of COMMANDS) {
      const { code, stdout, stderr } = await runProgram("aggregator", [command], { env: nothing });
      expect([command, code, stdout]).toEqual([command, 2, ""]);
      expect(stderr).toMatch(/^SKADI_NO_AGGREGATOR: .*got "http:\/\/127\.0\.0\.1:\d+".*ECONNREFUSED/);
      expect(stderr).toContain("→ That address is from the configuration");
      expect(stderr).toContain("skadi-aggregator run");
      expect(stderr).toContain("--url");
    }
  });

  it("says so of a server that is no aggregator", async () => {
    const server = createServer((_request, response) => response.end("<html>"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const { code, stderr } = await cli("mode", "--url", `http://127.0.0.1:${port}`);
    expect([code, stderr]).toEqual([2, expect.stringContaining("a running aggregator (Unexpected token")]);
  });

  it("sends a wrong token once, and says where it was from", async () => {
    const { code, stderr } = await cli("mode", "set", "advisory", "--token", "wrong");
    expect(code).toBe(2);
    expect(stderr).toMatch(/^SKADI_UNAUTHORIZED: /);
    expect(stderr).toContain("from --token or SKADI_TOKEN");
    expect(stderr).not.toContain("wrong");
  });

  it("sends the token of this machine's data directory to this machine alone", async () => {
    const here = { SKADI_DATA_DIR: site.data_dir, SKADI_TOKEN: "" };
    const args = ["mode", "set", "advisory"];
    const own = await runProgram("aggregator", args, {
      env: { ...here, SKADI_URL: site.aggregator.http_url },
    });
    expect(own.code).toBe(0);
    const elsewhere = await runProgram("aggregator", args, {
      env: { ...here, SKADI_URL: "http://192.0.2.1:8000" },
    });
    expect(elsewhere.code).toBe(2);
    expect(elsewhere.stderr).toMatch(/SKADI_UNAUTHORIZED.*the token of http:\/\/192\.0\.2\.1:8000/);
  });

  it.each([
    [["incidnets"], "(Did you mean incidents?)"],
    [["incidents", "shwo", "x"], "(Did you mean show?)"],
    [["mode", "set", "closed-loop"], "Allowed choices are advisory, closed_loop."],
    [["top", "--srot", "inlet"], "(Did you mean --sort?)"],
    [["logs", "--type", "incidents"], "incidents is none of mms, status, mode"],
  ])("knows what was meant: %j", async (args, hint) => {
    const { code, stderr } = await cli(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(hint);
    expect(stderr).toMatch(/--help says what there is\)\n$/);
  });

  it.each([
    ["logs", "--since", "800000d", /--since <duration>.*800000d.*at most 3650d/],
    ["logs", "--since", "99999999999d", /--since <duration>.*99999999999d.*at most 3650d/],
    ["report", "--from", "20260101", /--from <instant>.*20260101.*ISO 8601/],
    ["report", "--to", "9999", /--to <instant>.*9999.*2000 to 2199/],
  ])("says of %s %s %s what is expected", async (command, option, value, message) => {
    const { code, stderr } = await cli(command, option, value);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  it("asks nobody where nobody can answer", async () => {
    const { code, stderr } = await cli("mode", "kill-switch", "on");
    expect([code, stderr]).toEqual([2, expect.stringContaining("Add --yes to mean it")]);
    expect((await site.get("/mode")).body.kill_switch).toBe(false);
  });
});

describe("incidents", () => {
  it("are listed, told, annotated, judged and closed", async () => {
    const id = await heatUp("R-C-03");
    const short = id.split("-").at(-1)!;
    expect((await json("incidents")).incidents).toMatchObject([{ id, status: "open" }]);
    expect((await cli("incidents", "list", "--severity", "info")).stdout).toBe("No such incidents\n");
    const list = await cli("incidents");
    expect(list.stdout).toMatch(new RegExp(`^ID .*WHAT\n${short} .*open .*R-C-03`));
    await json("incidents", "annotate", short, "--text", "filter is clogged", "--by", "ann");
    await json("incidents", "confirm", id, "--by", "ann");
    const { incident } = await json("incidents", "close", short, "--by", "ann");
    expect(incident).toMatchObject({ status: "closed", closed_by: "ann", judged: "confirmed" });
    const shown = await cli("incidents", "show", short);
    expect(shown.stdout).toMatch(/annotated by ann: filter is clogged\n.*confirmed by ann\n.*closed by ann/);
    expect((await cli("incidents")).stdout).toContain("No open incidents (--all");
    const slip = `${short.slice(0, -1)}${short.endsWith("0") ? "1" : "0"}`;
    const unknown = await cli("incidents", "show", slip);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain(`→ Did you mean ${short}`);
    expect(unknown.stderr).toContain("→ skadi-aggregator incidents list --all");
    const again = await cli("incidents", "close", short);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("expected open or acknowledged")]);
  });

  it("are judged several at once, or none where one of them is unknown", async () => {
    const ids = [await heatUp("R-A-04"), await heatUp("R-B-05")];
    const unknown = await cli("incidents", "reject", ids[0]!, "nothing");
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining("nothing")]);
    const judged = async () =>
      (await json("incidents")).incidents.map((incident: { judged: string | null }) => incident.judged);
    expect(await judged()).toEqual([null, null]);
    const { incidents } = await json("incidents", "reject", ...ids, "--by", "ann");
    expect(incidents.map(({ id }: { id: string }) => id)).toEqual(ids);
    expect(await judged()).toEqual(["rejected", "rejected"]);
    const half = await cli("incidents", "close", ids[0]!);
    expect([half.code, half.stderr]).toEqual([0, ""]);
    const rest = await cli("incidents", "close", ids[1]!, ids[0]!);
    expect([rest.code, rest.stdout]).toEqual([2, expect.stringContaining("closed by")]);
  });
});

describe("maintenance", () => {
  it("is planned, listed and cancelled", async () => {
    const { window } = await json(
      "maintenance",
      "plan",
      "--row",
      "C",
      "--for",
      "2h",
      "--reason",
      "new tiles",
    );
    expect(window).toMatchObject({ row: "C", rack_id: null, reason: "new tiles" });
    expect(Date.parse(window.to) - Date.parse(window.from)).toBeCloseTo(7_200_000, -4);
    const short = window.id.slice(0, 8);
    expect((await cli("maintenance")).stdout).toMatch(new RegExp(`${short} +row C .*new tiles`));
    const wrong = await cli("maintenance", "plan", "--rack", "R-Z-99");
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("SKADI_UNKNOWN_RACK")]);
    expect(await json("maintenance", "cancel", short)).toEqual({ cancelled: window.id });
    expect((await cli("maintenance", "list")).stdout).toBe("No maintenance is planned\n");
  });
});

describe("the mode", () => {
  it("is set for the site, a row or a rack, and the kill switch ends it all", async () => {
    await json("mode", "set", "closed_loop", "--yes");
    await json("mode", "set", "advisory", "--row", "B");
    await json("mode", "set", "advisory", "--rack", "R-A-07");
    await json("mode", "kill-switch", "on", "--yes");
    const { stdout } = await cli("mode");
    expect(stdout.split("\n")).toEqual([
      "Site         closed_loop (actuators are driven within their limits, but for what follows)",
      "Row B        advisory",
      "R-A-07       advisory",
      "Kill switch  ON: nothing is driven, whatever the mode",
      "",
    ]);
    await json("mode", "clear", "--row", "B");
    await json("mode", "clear", "--rack", "R-A-07");
    await json("mode", "kill-switch", "off", "--yes");
    expect(await json("mode", "set", "advisory")).toEqual({ mode: "advisory", kill_switch: false });
    const nothing = await cli("mode", "clear");
    expect([nothing.code, nothing.stderr]).toEqual([
      2,
      expect.stringContaining("--row <row> or --rack <id>"),
    ]);
  });
});

describe("top", () => {
  it("prints the racks once where the output is no terminal, filtered and sorted as asked", async () => {
    await site.post("/telemetry", sample("R-D-05", { inlet_c: 25, seq: ++seq }));
    await site.post("/telemetry", sample("R-D-06", { inlet_c: 24, seq: ++seq }));
    const { stdout } = await cli("top", "--row", "D", "--sort", "inlet");
    expect(stdout).toMatch(/^Skadi dc1 {3}advisory/);
    const racks = stdout.split("\n").flatMap((line) => /^ {2}(R-\S+)/.exec(line)?.[1] ?? []);
    expect([racks.length, racks[0], racks[1]]).toEqual([12, "R-D-05", "R-D-06"]);
    const body = await json("top", "--row", "D", "--sort", "inlet");
    expect(parsePayload(Overview, Buffer.from(JSON.stringify(body))).ok).toBe(true);
    expect(body.rack_list.map(({ rack_id }: { rack_id: string }) => rack_id)).toEqual(racks);
  });
});

describe.runIf(hasProgram("tmux"))("colours", () => {
  const coloured = "\u001b[3";

  it("are for terminals, unless NO_COLOR forbids", async () => {
    const command = "clear; node aggregator/start.mjs top --once --row D";
    const colourful = openTerminal({ env });
    colourful.type(`${command}\n`);
    await colourful.sees(/R-D-12/);
    expect(colourful.colours()).toContain(coloured);
    const plain = openTerminal({ env: { ...env, NO_COLOR: "1" } });
    plain.type(`${command}\n`);
    await plain.sees(/R-D-12/);
    expect(plain.colours()).not.toContain(coloured);
    const piped = openTerminal({ env: { ...env, CI: "1" } });
    piped.type(`${command} | cat -v\n`);
    await piped.sees(/R-D-12/);
    expect(piped.screen()).not.toContain("^[");
  });
});

describe("logs", () => {
  it("prints the past, by type, rack and row", async () => {
    await json("mode", "set", "advisory", "--rack", "R-E-01");
    await json("mode", "clear", "--rack", "R-E-01");
    const { stdout } = await cli("logs", "--type", "mode", "--rack", "R-E-01");
    expect(stdout.trim().split("\n")).toHaveLength(2);
    expect(stdout).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ {2}mode +R-E-01 +rack R-E-01: advisory\n/);
    expect(stdout).toMatch(/rack R-E-01 follows its row again\n$/);
    expect((await cli("logs", "--row", "F")).stdout).toBe("");
    const lines = (await cli("logs", "--json", "--limit", "3")).stdout.trim().split("\n");
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(JSON.parse(line)).toHaveProperty("type");
  });

  it.each([
    ["--rack", "R-A-1", "Did you mean R-A-01"],
    ["--row", "ZZZZ", "skadi-aggregator top --once says which there are."],
  ])(
    "of a place that the site does not have are none, and that is said: %s %s",
    async (option, name, help) => {
      const { code, stdout, stderr } = await cli("logs", option, name);
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toMatch(new RegExp(`^SKADI_NOT_FOUND: .*${option}.*"${name}"`));
      expect(stderr).toContain(help);
    },
  );

  it("follows what happens, and after a lost connection goes on with what was missed, each event once", async () => {
    const program = startProgram(
      "aggregator",
      ["logs", "--follow", "--json", "--type", "mode,score", "--limit", "0"],
      env,
    );
    const events = (): { type: string; rack_id: string | null; id: string }[] =>
      program
        .stdout()
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line));
    const heard = (rack_id: string) =>
      eventually(`the event of ${rack_id}`, () => events().find((e) => e.rack_id === rack_id), 15_000);
    const setMode = (rack_id: string) =>
      site.post("/mode", { mode: "advisory", scope: { rack_id } }, { token: true });
    await eventually(
      "the listener",
      async () => {
        await site.post("/telemetry", sample("R-F-01", { ts: isoTime(Date.now()), seq: ++seq }));
        return events().some(({ type }) => type === "score");
      },
      15_000,
    );
    await setMode("R-F-02");
    await heard("R-F-02");
    // While it is away: the first attempts to connect again come later than what happens at once after the start.
    await site.aggregator.stop();
    await eventually("it notices", () => program.stderr().includes("trying again"));
    await site.aggregator.start();
    await setMode("R-F-03");
    await heard("R-F-03");
    await eventually("it is connected", () => program.stderr().includes("connected again"), 15_000);
    await setMode("R-F-04");
    await heard("R-F-04");
    const ids = events().map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    program.process.kill("SIGINT");
    expect(await program.exit()).toBe(0);
  });
});

describe("skadi-aggregator optimizer", () => {
  it("says what decided in the last round, and why not more", async () => {
    await site.post("/telemetry", sample("R-E-05", { seq: ++seq }));
    expect((await cli("optimizer")).stdout).toMatch(
      /^Policy predictive: its first round is due within 120 s/,
    );
    const { stdout } = await cli("optimizer", "tick");
    expect(stdout).toContain("described, advisory");
    expect(stdout).toMatch(/The learnt models are still learning \(0 of 72 racks/);
    expect(stdout).toContain("→ skadi-aggregator actions list --source optimizer");
    const { policy, last } = await json("optimizer");
    expect(policy).toBe("predictive");
    expect(last).toMatchObject({ policy: "described", fallback: expect.stringMatching(/^model_learning: /) });
  });

  it("runs a round for those with the token alone", async () => {
    const { code, stderr } = await cli("optimizer", "tick", "--token", "wrong");
    expect([code, stderr]).toEqual([2, expect.stringContaining("SKADI_UNAUTHORIZED")]);
  });
});
