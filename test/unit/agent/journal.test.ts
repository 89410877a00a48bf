import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { guard, initialGuardState } from "../../../agent/guardrail/guardrail.ts";
import { journalFile, openJournal, readDecision } from "../../../agent/journal.ts";
import type { Decision } from "../../../agent/journal-record.ts";
import { RACK_TARGETS, type RackTarget } from "../../../shared/contracts/action.ts";
import { AgentConfig } from "../../../shared/contracts/agent-config.ts";
import { createLog } from "../../../shared/log.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const log = createLog("test", "silent");
const { guardrail, limits, actuators } = AgentConfig.parse({ rack_id: "R-A-01" });
const rules = { config: guardrail, limits, actuators };
const context = { ...rules, driven: RACK_TARGETS, without_own_control: [] };
const DAY_MS = 86_400_000;

function decisionAt(id: string, now_ms = 0): Decision {
  const state = { ...initialGuardState(context), speeds_seen: [] };
  const setpoints = Object.fromEntries(RACK_TARGETS.map((t) => [t, null])) as Record<RackTarget, null>;
  const input: Decision["input"] = {
    now_ms,
    closed_loop: true,
    inlet_c: 28.4,
    hottest_inlet_c: 28.6,
    heat: { inlet_z: 4.25, outlet_z: 1 / 3 },
    d: 3,
    tau_fast: 2,
    mms_state: "transient",
    departure: null,
    setpoints,
    fan_rpm_pct: 65,
    pump_rpm_pct: 57,
    pdu_kw: 9,
    owned: [],
    failing: [],
  };
  const { severity, intents } = guard(context, state, input);
  const about = { rack_id: "R-A-01", agent_version: "0.0.0", model_id: null, sample: { inlet_c: 28.4 } };
  return {
    v: 1,
    id,
    ts: "2026-01-01T00:00:00.000Z",
    ...about,
    severity,
    context,
    state,
    input,
    intents,
    outcomes: [],
  };
}

const file = () => join(temporaryFolder(), "deep", "R-A-01.journal.db");

describe("the journal of decisions", () => {
  it("lies beside the agent's other files", () => {
    const config = AgentConfig.parse({ rack_id: "R-A-01", model: { cache_dir: "/var/lib/skadi" } });
    expect(journalFile(config)).toBe("/var/lib/skadi/R-A-01.journal.db");
  });

  it("gives a decision back as it was, by its own id and by its actions'", () => {
    const path = file();
    const journal = openJournal(path, log);
    const decision = decisionAt("R-A-01-1-7");
    journal.record(decision, 0);
    expect(readDecision(path, "R-A-01-1-7")).toEqual({ ok: true, value: decision });
    expect(readDecision(path, "R-A-01-1-7.2")).toEqual({ ok: true, value: decision });
    expect(readDecision(path, "R-A-01-1-8")).toBeNull();
    journal.close();
  });

  it("keeps thirty days, and twenty thousand decisions", () => {
    const path = file();
    const journal = openJournal(path, log);
    journal.record(decisionAt("old"), 0);
    journal.record(decisionAt("young"), 20 * DAY_MS);
    journal.record(decisionAt("now"), 31 * DAY_MS);
    expect([readDecision(path, "old"), readDecision(path, "young")?.ok]).toEqual([null, true]);
    const db = new DatabaseSync(path);
    db.exec("UPDATE decisions SET n = n - 20000 WHERE id = 'young'");
    db.close();
    journal.record(decisionAt("next"), 31 * DAY_MS);
    expect([readDecision(path, "young"), readDecision(path, "now")?.ok]).toEqual([null, true]);
    journal.close();
  });

  it("remembers across restarts what the guardrail has left in force", () => {
    const path = file();
    const journal = openJournal(path, log);
    expect(journal.owned()).toEqual([]);
    journal.setOwned(["pump_rpm_pct", "power_cap_kw"]);
    journal.close();
    const next = openJournal(path, log);
    expect(next.owned()).toEqual(["pump_rpm_pct", "power_cap_kw"]);
    next.setOwned([]);
    expect(next.owned()).toEqual([]);
    next.close();
  });

  it("that is corrupt is set aside, and a new one begun", () => {
    const path = join(temporaryFolder(), "R-A-01.journal.db");
    writeFileSync(path, "no database, and long enough to be taken for one".repeat(50));
    const journal = openJournal(path, log);
    expect(journal.owned()).toEqual([]);
    journal.record(decisionAt("first"), 0);
    expect(readDecision(path, "first")?.ok).toBe(true);
    expect(readFileSync(`${path}.broken`, "utf8")).toContain("no database");
    journal.close();
  });

  it("that cannot be written fails nobody, says so once, and goes on when it can", () => {
    const folder = temporaryFolder();
    const blocked = join(folder, "in-the-way");
    writeFileSync(blocked, "not a folder");
    const lines: string[] = [];
    const heard = createLog("test", "silent");
    heard.error = ((line: { event: string }) => lines.push(line.event)) as unknown as typeof heard.error;
    const path = join(blocked, "R-A-01.journal.db");
    const journal = openJournal(path, heard);
    journal.record(decisionAt("lost"), 0);
    journal.setOwned(["pump_rpm_pct"]);
    journal.record(decisionAt("lost too"), 0);
    expect(lines).toEqual(["journal_failed"]);
    rmSync(blocked);
    journal.record(decisionAt("kept"), 0);
    expect(readDecision(path, "kept")?.ok).toBe(true);
    journal.close();
  });

  it("says which fields of another version's decision it cannot read", () => {
    const path = file();
    const journal = openJournal(path, log);
    const { heat: _, ...input } = decisionAt("x").input;
    journal.record({ ...decisionAt("x"), input } as unknown as Decision, 0);
    expect(readDecision(path, "x")).toMatchObject({ ok: false, rejections: [{ field: "input.heat" }] });
    journal.close();
  });
});
