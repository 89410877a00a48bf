import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openJournal } from "../../aggregator/audit/journal.ts";
import { verifyDataFolder } from "../../aggregator/audit/verify-file.ts";
import { siteKeyFile } from "../../aggregator/secrets.ts";
import { openSqliteStore } from "../../aggregator/store/sqlite/sqlite-store.ts";
import type { Action } from "../../shared/contracts/action.ts";
import { auditTopic } from "../../shared/contracts/topics.ts";
import { createLog } from "../../shared/log.ts";
import { loadOrCreateKey } from "../../shared/signing.ts";
import { isoTime, systemClock } from "../../shared/time.ts";
import { eventually } from "../support/eventually.ts";
import { runProgram } from "../support/program.ts";
import { SITE, type TestClient, type TestSite, testSite, topicOf } from "./aggregator-harness.ts";

let site: TestSite;
let client: TestClient;
beforeEach(async () => {
  site = await testSite();
  client = await site.mqtt();
});
afterEach(() => site.close());

const log = createLog("test", "silent");
const ACTIONS = 6;

const action = (n: number, outcome: Action["outcome"] = "advised"): Action => ({
  v: 1,
  id: `R-E-01-${n}`,
  ts: isoTime(Date.now()),
  rack_id: "R-E-01",
  source: "guardrail",
  kind: "pre_cool",
  target: "fan_rpm_pct",
  from: 65,
  to: 80,
  mode: "advisory",
  outcome,
  reason: "inlet near its limit",
  inputs: { inlet_c: 27.8 },
});

/** Has an agent log some actions, the last of them twice, and stops the aggregator. */
async function recordAndStop(rows_before = 0): Promise<void> {
  for (let n = 1; n <= ACTIONS; n++) await client.publish(topicOf("R-E-01", "action"), action(n));
  await client.publish(topicOf("R-E-01", "action"), action(ACTIONS, "applied"));
  const rows = rows_before + ACTIONS + 1;
  await eventually("the actions", async () => (await site.get("/audit/head")).body.head?.seq === rows);
  await site.aggregator.stop();
}

/** What someone with a database tool may do: the triggers that forbid it go first. */
function tamper(...statements: string[]): void {
  const db = new DatabaseSync(join(site.data_dir, "aggregator.db"));
  db.exec("DROP TRIGGER action_chain_no_update; DROP TRIGGER action_chain_no_delete;");
  for (const statement of statements) db.exec(statement);
  db.close();
}

const problem = () => verifyDataFolder(site.data_dir).problem;

describe("the action log on the disk", () => {
  it("is intact as it was written, running or not, and over a restart", async () => {
    // The agent's outbox may repeat itself: that is one row.
    const repeated = action(0);
    for (let i = 0; i < 3; i++) await client.publish(topicOf("R-E-01", "action"), repeated);
    await eventually("the action", async () => (await site.get("/audit/head")).body.head?.seq === 1);
    await eventually("it on the disk", () => verifyDataFolder(site.data_dir).rows === 1);
    await site.restart();
    client = await site.mqtt();
    await recordAndStop(1);
    const result = verifyDataFolder(site.data_dir);
    expect(result).toMatchObject({ ok: true, rows: ACTIONS + 2, rows_since_checkpoint: 0 });
    await site.aggregator.start();
    expect((await site.get("/audit/head")).body.head).toEqual(result.head);
  });

  it("refuses a plain update or deletion", async () => {
    await recordAndStop();
    const db = new DatabaseSync(join(site.data_dir, "aggregator.db"));
    expect(() => db.exec("UPDATE action_chain SET action = '{}'")).toThrow(/append-only/);
    expect(() => db.exec("DELETE FROM action_chain WHERE seq = 7")).toThrow(/append-only/);
    db.close();
  });

  it.each([
    ["altered", 3, "UPDATE action_chain SET action = replace(action, '80', '60') WHERE seq = 3"],
    ["removed", 4, "DELETE FROM action_chain WHERE seq = 4"],
    [
      "broken_link",
      2,
      "UPDATE action_chain SET seq = -1 WHERE seq = 2; UPDATE action_chain SET seq = 2 WHERE seq = 5; UPDATE action_chain SET seq = 5 WHERE seq = -1",
    ],
    ["truncated", 6, "DELETE FROM action_chain WHERE seq > 5"],
  ])("shows the first row that was %s", async (reason, seq, statement) => {
    await recordAndStop();
    tamper(statement);
    expect(problem()).toMatchObject({ reason, seq });
  });

  it("shows when the log that clients read was changed instead", async () => {
    await recordAndStop();
    tamper("UPDATE actions SET action = replace(action, 'applied', 'refused') WHERE id = 'R-E-01-6'");
    expect(problem()).toMatchObject({ reason: "log_differs", action_id: "R-E-01-6" });
  });

  it("that lost its tail and the checkpoints with it is only found out by a head noted elsewhere", async () => {
    await recordAndStop();
    const noted = verifyDataFolder(site.data_dir).head!;
    tamper(
      "DELETE FROM action_chain WHERE seq > 5",
      "DELETE FROM chain_checkpoints",
      "DELETE FROM actions WHERE id = 'R-E-01-6'",
    );
    expect(problem()).toBeNull();
    expect(verifyDataFolder(site.data_dir, [noted]).problem).toMatchObject({ reason: "truncated", seq: 6 });
  });

  it("goes on after an anchor where retention took its beginning", async () => {
    await recordAndStop();
    const store = openSqliteStore(join(site.data_dir, "aggregator.db"), { flush_ms: 20, log });
    const key = loadOrCreateKey(siteKeyFile(site.data_dir)).private_key;
    const journal = openJournal({ site: SITE, key, store, clock: systemClock(), log, publish() {} });
    const before_ms = Date.now() + 1_000;
    store.prune(before_ms, before_ms);
    journal.prune(before_ms);
    expect(store.chain.head()).toBeNull();
    const later = action(99);
    journal.append(later);
    store.actions.put(later);
    store.close();
    expect(verifyDataFolder(site.data_dir)).toMatchObject({ ok: true, rows: 1, anchored_at: ACTIONS + 1 });
  });

  it("is intact when retention was killed after it had signed its anchor, and so is what comes after", async () => {
    await recordAndStop();
    const store = openSqliteStore(join(site.data_dir, "aggregator.db"), { flush_ms: 20, log });
    const key = loadOrCreateKey(siteKeyFile(site.data_dir)).private_key;
    const killed = {
      ...store,
      chain: {
        ...store.chain,
        prune() {
          throw new Error("killed");
        },
      },
    };
    const context = { site: SITE, key, clock: systemClock(), log, publish() {} };
    const before_ms = Date.now() + 1_000;
    expect(() => openJournal({ ...context, store: killed }).prune(before_ms)).toThrow("killed");
    expect(verifyDataFolder(site.data_dir)).toMatchObject({ ok: true, rows: 0, anchored_at: ACTIONS + 1 });
    const later = action(99);
    openJournal({ ...context, store }).append(later);
    store.actions.put(later);
    store.close();
    expect(verifyDataFolder(site.data_dir)).toMatchObject({ ok: true, rows: 1, head: { seq: ACTIONS + 2 } });
    tamper("UPDATE action_chain SET action = replace(action, '80', '60') WHERE seq = 8");
    expect(problem()).toMatchObject({ reason: "altered", seq: ACTIONS + 2 });
  });
});

describe("the head of the chain", () => {
  it("is published, retained and signed, where only the aggregator may publish", async () => {
    await recordAndStop();
    await site.aggregator.start();
    client = await site.mqtt();
    const head = await client.received<{ seq: number; hash: string }>(auditTopic(SITE));
    const { body } = await site.get("/audit/head");
    expect(body).toMatchObject({ head: { seq: head.seq, hash: head.hash }, checkpoint: head });
    await client.publish(auditTopic(SITE), { seq: 0 });
    await eventually(
      "the refusal",
      async () => (await site.get("/health")).body.counters.refused_publishes > 0,
    );
  });

  it("is what `skadi-aggregator actions verify` prints and checks", async () => {
    await recordAndStop();
    const env = { SKADI_DATA_DIR: site.data_dir };
    const good = await runProgram("aggregator", ["actions", "verify", "--json"], { env });
    expect(good.code).toBe(0);
    const { head } = JSON.parse(good.stdout);
    const noted = ["actions", "verify", "--head", `${head.seq}:${head.hash}`];
    expect((await runProgram("aggregator", noted, { env })).stdout).toContain("Intact");
    tamper("DELETE FROM action_chain WHERE seq = 2");
    const bad = await runProgram("aggregator", ["actions", "verify"], { env });
    expect([bad.code, bad.stdout]).toEqual([1, expect.stringContaining("NOT intact: removed")]);
  });
});
