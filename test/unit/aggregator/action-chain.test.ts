import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ChainRow, makeCheckpoint, nextRow, verifyChain } from "../../../aggregator/audit/chain.ts";
import { canonicalJson } from "../../../shared/canonical.ts";
import type { Action } from "../../../shared/contracts/action.ts";
import { isoTime } from "../../../shared/time.ts";

const T0 = Date.UTC(2026, 0, 1);
const keys = generateKeyPairSync("ed25519");
const about = { site: "dc1", at_ms: T0, key: keys.privateKey };

const action = (n: number, changes: Partial<Action> = {}): Action => ({
  v: 1,
  id: `a-${n}`,
  ts: isoTime(T0 + n * 1_000),
  rack_id: "R-A-01",
  source: "optimizer",
  kind: "optimize",
  target: "fan_rpm_pct",
  from: null,
  to: 60,
  mode: "closed_loop",
  outcome: "sent",
  reason: "test",
  inputs: {},
  ...changes,
});

/** `length` rows; each action has two versions. */
function chainOf(length: number): ChainRow[] {
  const rows: ChainRow[] = [];
  for (let n = 0; n < length; n++) {
    const version = action(Math.floor(n / 2), n % 2 === 1 ? { outcome: "applied" } : {});
    rows.push(nextRow(rows.at(-1) ?? null, version, T0 + n * 1_000));
  }
  return rows;
}

const logOf = (rows: readonly ChainRow[]) => new Map(rows.map((row) => [row.action_id, row.action]));
const verified = (rows: ChainRow[], more: object = {}, log = logOf(rows)) =>
  verifyChain({ rows, checkpoints: [], log, ...more }, keys.publicKey);
const with_ = (rows: ChainRow[], at: number, changes: Partial<ChainRow>) =>
  rows.map((row, i) => (i === at ? { ...row, ...changes } : row));
const length_and_place = fc
  .integer({ min: 3, max: 40 })
  .chain((length) => fc.tuple(fc.constant(length), fc.integer({ min: 0, max: length - 2 })));

describe("the chain of actions", () => {
  it("verifies as it was written, and names its head", () => {
    const rows = chainOf(20);
    expect(verified(rows)).toMatchObject({ ok: true, rows: 20, problem: null, rows_since_checkpoint: 20 });
    expect(verified(rows).head).toEqual({ seq: 20, hash: rows[19]!.hash });
    expect(verified([])).toMatchObject({ ok: true, head: null });
  });

  it("tells the first row that was altered, removed or exchanged, wherever it is", () => {
    fc.assert(
      fc.property(length_and_place, ([length, at]) => {
        const rows = chainOf(length);
        const seq = at + 1;
        const forged = canonicalJson(action(at, { to: 100, reason: "forged" }));
        expect(verified(with_(rows, at, { action: forged })).problem).toMatchObject({
          seq,
          reason: "altered",
        });
        expect(verified(with_(rows, at, { recorded_ms: 1 })).problem).toMatchObject({
          seq,
          reason: "altered",
        });
        expect(verified(rows.toSpliced(at, 1)).problem).toMatchObject({ seq, reason: "removed" });
        const exchanged = with_(with_(rows, at, { ...rows[at + 1]!, seq }), at + 1, {
          ...rows[at]!,
          seq: seq + 1,
        });
        expect(verified(exchanged).problem).toMatchObject({ seq, reason: "broken_link" });
      }),
    );
  });

  it("tells a row that was hashed anew by the row after it, and a whole tail by a checkpoint", () => {
    const rows = chainOf(10);
    const forged = nextRow(rows[3]!, action(2, { to: 100 }), T0);
    expect(verified(with_(rows, 4, forged)).problem).toMatchObject({ seq: 6, reason: "broken_link" });
    const tail = [...rows.slice(0, 4), forged];
    while (tail.length < 10) tail.push(nextRow(tail.at(-1)!, action(tail.length), T0));
    expect(verified(tail).ok).toBe(true);
    const checkpoints = [makeCheckpoint(rows[7]!, about)];
    expect(verified(tail, { checkpoints }).problem).toMatchObject({ seq: 8, reason: "rewritten" });
  });

  it("cannot tell a tail that was cut off, except by a checkpoint or a head noted elsewhere", () => {
    const rows = chainOf(10);
    const cut = rows.slice(0, 6);
    expect(verified(cut).ok).toBe(true);
    const checkpoints = [makeCheckpoint(rows[7]!, about)];
    expect(verified(cut, { checkpoints }).problem).toMatchObject({ seq: 7, reason: "truncated" });
    expect(verified(cut, { noted: [rows[9]!] }).problem).toMatchObject({ seq: 7, reason: "truncated" });
    expect(verified(rows, { checkpoints })).toMatchObject({ ok: true, rows_since_checkpoint: 2 });
  });

  it("goes on after a signed anchor where retention took rows, and does not believe another", () => {
    const rows = chainOf(10);
    const kept = rows.slice(6);
    expect(verified(kept).problem).toMatchObject({ seq: 1, reason: "removed" });
    const anchor = makeCheckpoint(rows[5]!, { ...about, until_ms: T0 + 6_000 });
    expect(verified(kept, { checkpoints: [anchor] })).toMatchObject({ ok: true, anchored_at: 6, rows: 4 });
    // The log loses its part after the chain.
    expect(verified(kept, { checkpoints: [anchor] }, logOf(rows)).ok).toBe(true);
    const other = generateKeyPairSync("ed25519").privateKey;
    const forged = makeCheckpoint(rows[5]!, { ...about, key: other, until_ms: T0 });
    expect(verified(kept, { checkpoints: [forged] }).problem).toMatchObject({ reason: "bad_checkpoint" });
  });

  it("is intact where an anchor was signed and the rows before it were not deleted any more", () => {
    const rows = chainOf(10);
    const checkpoints = [makeCheckpoint(rows[5]!, { ...about, until_ms: T0 + 6_000 })];
    const intact = { ok: true, anchored_at: 6, rows: 4, rows_since_checkpoint: 4 };
    expect(verified(rows, { checkpoints })).toMatchObject(intact);
    // The log may have lost its part by then.
    expect(verified(rows, { checkpoints }, logOf(rows.slice(6)))).toMatchObject(intact);
    const all = [makeCheckpoint(rows[9]!, { ...about, until_ms: T0 + 10_000 })];
    expect(verified(rows, { checkpoints: all })).toMatchObject({ ok: true, rows: 0, head: { seq: 10 } });
  });

  it("hides no change after an anchor behind the rows that were left before it", () => {
    const rows = chainOf(10);
    const checkpoints = [
      makeCheckpoint(rows[5]!, { ...about, until_ms: T0 + 6_000 }),
      makeCheckpoint(rows[9]!, about),
    ];
    const problem = (tampered: ChainRow[]) => verified(tampered, { checkpoints }).problem;
    const forged = canonicalJson(action(3, { to: 100 }));
    expect(problem(with_(rows, 6, { action: forged }))).toMatchObject({ seq: 7, reason: "altered" });
    expect(problem(rows.toSpliced(6, 1))).toMatchObject({ seq: 7, reason: "removed" });
    expect(problem(rows.slice(0, 6))).toMatchObject({ seq: 7, reason: "truncated" });
    // A row moved down among those that are passed over is missing above.
    const moved = [...rows.slice(0, 5), { ...rows[6]!, seq: 6 }, ...rows.slice(7)];
    expect(problem(moved)).toMatchObject({ seq: 7, reason: "removed" });
    // The one at the anchor's place, hashed anew: what follows does not follow it.
    const other = nextRow(rows[4]!, action(2, { to: 100 }), T0);
    const next = nextRow(other, action(3, { to: 100 }), T0);
    expect(problem([...rows.slice(0, 5), other, next, ...rows.slice(7)])).toMatchObject({
      seq: 7,
      reason: "broken_link",
    });
  });

  it("is held against the log that clients read", () => {
    const rows = chainOf(6);
    const log = logOf(rows);
    const altered = new Map(log).set("a-1", JSON.stringify(action(1, { to: 99 })));
    expect(verified(rows, {}, altered).problem).toMatchObject({ action_id: "a-1", reason: "log_differs" });
    const shorter = new Map([...log].slice(1));
    expect(verified(rows, {}, shorter).problem).toMatchObject({ action_id: "a-0", reason: "log_differs" });
    const longer = new Map(log).set("a-9", JSON.stringify(action(9)));
    expect(verified(rows, {}, longer).problem).toMatchObject({ action_id: "a-9", reason: "log_differs" });
  });
});
