import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { diskOutbox } from "../../../agent/uplink/disk-outbox.ts";
import { LANES, type Letter, laneOf, type Outbox } from "../../../agent/uplink/outbox.ts";
import type { Score } from "../../../shared/contracts/score.ts";
import type { TelemetrySample } from "../../../shared/contracts/telemetry.ts";
import { createLog } from "../../../shared/log.ts";
import { virtualClock } from "../../../shared/time.ts";
import { quickFolder, temporaryFolder } from "../../support/temporary.ts";
import { sampleAt, scoreAt } from "./outbox-messages.ts";

const MB = 1024 * 1024;
const log = createLog("test", "silent");

function open(
  folder: string,
  options: { capacity?: number; bytes_max?: number; clock?: ReturnType<typeof virtualClock> } = {},
): Outbox {
  const file = join(folder, "R-A-01.outbox.db");
  const outbox = diskOutbox({
    file,
    capacity: 1_000,
    bytes_max: 16 * MB,
    clock: virtualClock(),
    log,
    ...options,
  });
  onTestFinished(() => outbox.close());
  return outbox;
}

/** What a kill leaves behind: the files as they are, while the killed one still has them open. */
function killed(folder: string): string {
  const copy = temporaryFolder();
  for (const suffix of ["", "-wal"]) {
    const name = `R-A-01.outbox.db${suffix}`;
    if (existsSync(join(folder, name))) writeFileSync(join(copy, name), readFileSync(join(folder, name)));
  }
  return copy;
}

const letter = (channel: Letter["channel"], payload: string): Letter => ({ channel, payload });
const telemetry = (seq: number): Letter => ({
  channel: "telemetry",
  seq,
  payload: JSON.stringify(sampleAt(seq)),
});
const score = (seq: number, d = 1): Letter => ({
  channel: "score",
  seq,
  payload: JSON.stringify(scoreAt(seq, d)),
});

function drain(outbox: Outbox): Letter[] {
  const all: Letter[] = [];
  for (const lane of LANES) {
    for (let l = outbox.take(lane); l; l = outbox.take(lane)) {
      all.push(l);
      outbox.confirm(l);
    }
  }
  return all;
}

const contentOf = <T>(letters: Letter[], channel: Letter["channel"]): T[] =>
  letters.filter((l) => l.channel === channel).map((l) => JSON.parse(l.payload));

describe("the outbox on disk", () => {
  it("has after a kill every letter that was not confirmed, in order, and none that was", () => {
    const folder = temporaryFolder();
    const outbox = open(folder);
    for (const p of ["1", "2", "3"]) outbox.add(letter("telemetry", p));
    outbox.add(letter("ack", "answer"));
    outbox.confirm(outbox.take("history")!);
    const again = open(killed(folder));
    expect(again.size).toBe(3);
    expect(drain(again).map((l) => l.payload)).toEqual(["answer", "2", "3"]);
    expect(again).toMatchObject({ size: 0, dropped: 0, rolled_up: 0, unsaved: 0 });
  });

  it("whatever is added, taken, confirmed, given back, killed: loses nothing unconfirmed and keeps each lane's order", () => {
    const channel = fc.constantFrom<Letter["channel"]>("telemetry", "score", "action", "ack");
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("add" as const), channel }) },
      {
        weight: 4,
        arbitrary: fc.record({ kind: fc.constant("take" as const), lane: fc.constantFrom(...LANES) }),
      },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant("confirm" as const), which: fc.nat(20) }) },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constantFrom("give_back" as const, "kill" as const, "restart" as const),
        }),
      },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let folder = quickFolder();
        let outbox = open(folder);
        let count = 0;
        const unconfirmed = { news: new Set<string>(), history: new Set<string>() };
        let under_way: Letter[] = [];
        for (const s of steps) {
          if (s.kind === "add") {
            const payload = String(count++);
            unconfirmed[laneOf(s.channel)].add(payload);
            outbox.add(letter(s.channel, payload));
          } else if (s.kind === "take") {
            const taken = outbox.take(s.lane);
            if (taken) under_way.push(taken);
          } else if (s.kind === "confirm") {
            const [arrived] = under_way.splice(s.which % Math.max(1, under_way.length), 1);
            if (!arrived) continue;
            outbox.confirm(arrived);
            unconfirmed[laneOf(arrived.channel)].delete(arrived.payload);
          } else {
            under_way = [];
            if (s.kind === "give_back") outbox.giveBack();
            if (s.kind === "kill") folder = killed(folder);
            if (s.kind === "restart") outbox.close();
            if (s.kind !== "give_back") outbox = open(folder);
          }
        }
        outbox.giveBack();
        const left = drain(outbox);
        for (const lane of LANES) {
          const given = left.filter((l) => laneOf(l.channel) === lane).map((l) => Number(l.payload));
          expect(given).toEqual([...given].sort((a, b) => a - b));
          // A kill may bring back what was confirmed just before it, never lose what was not.
          expect(given.map(String)).toEqual(expect.arrayContaining([...unconfirmed[lane]]));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("knows the last seq of telemetry after a restart, even when everything has left", () => {
    const folder = temporaryFolder();
    const outbox = open(folder);
    outbox.add(telemetry(2_000_000_000_000));
    drain(outbox);
    outbox.close();
    expect(open(folder)).toMatchObject({ last_seq: 2_000_000_000_000, size: 0 });
  });

  it("is one agent's: a second one of the same rack keeps its letters in memory and says so", () => {
    const folder = temporaryFolder();
    open(folder).add(letter("telemetry", "1"));
    const second = open(folder);
    second.add(letter("telemetry", "2"));
    expect(second).toMatchObject({ size: 1, unsaved: 1 });
    expect(drain(second).map((l) => l.payload)).toEqual(["2"]);
  });
});

/** An outage of `ticks` samples and their scores of 5 s, with one decision early on. */
function outage(outbox: Outbox, ticks: number): void {
  outbox.add(letter("action", "decision"));
  for (let seq = 1; seq <= ticks; seq++) {
    outbox.add(telemetry(seq));
    outbox.add(score(seq, seq % 100 === 50 ? 9 : 1));
  }
}

describe("an outbox that runs out of room", () => {
  it("rolls up the oldest first: every second and every joule stays, and the worst score of each run", () => {
    const outbox = open(quickFolder(), { capacity: 1_200 });
    const ticks = 3_000;
    outage(outbox, ticks);
    const { size, rolled_up, dropped } = outbox;
    expect(dropped).toBe(0);
    expect(size).toBeLessThanOrEqual(1_200);
    expect(size + rolled_up).toBe(2 * ticks + 1);
    const left = drain(outbox);
    expect(left[0]!.payload).toBe("decision");
    const samples = contentOf<TelemetrySample>(left, "telemetry");
    const seconds = samples.reduce((sum, s) => sum + s.interval_s, 0);
    const joules = samples.reduce((sum, s) => sum + (s.gpu_energy_j ?? 0), 0);
    expect({ seconds, joules }).toEqual({ seconds: 5 * ticks, joules: 28_000 * ticks });
    const seqs = samples.map((s) => s.seq);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    // The newest are as they were.
    expect(samples.slice(-200).every((s) => s.interval_s === 5)).toBe(true);
    expect(Math.max(...samples.map((s) => s.interval_s))).toBeLessThanOrEqual(720);
    const scores = contentOf<Score>(left, "score");
    const known = new Set(seqs);
    expect(scores.filter((s) => !known.has(s.seq))).toEqual([]);
    expect(scores.filter((s) => s.d === 9).length).toBeGreaterThan(ticks / 144 / 2);
  });

  it("drops the oldest history when all of it is rolled up, counts it, and keeps the decision", () => {
    const outbox = open(quickFolder(), { capacity: 60 });
    outage(outbox, 3_000);
    const { size, rolled_up, dropped } = outbox;
    expect(size).toBeLessThanOrEqual(60);
    expect(dropped).toBeGreaterThan(0);
    expect(size + rolled_up + dropped).toBe(6_001);
    const left = drain(outbox);
    expect(left[0]!.payload).toBe("decision");
    expect(contentOf<TelemetrySample>(left, "telemetry").at(-1)?.seq).toBe(3_000);
  });

  it("does not roll up or drop what is on its way", () => {
    const outbox = open(quickFolder(), { capacity: 300 });
    for (let seq = 1; seq <= 40; seq++) outbox.add(telemetry(seq));
    const taken = Array.from({ length: 16 }, () => outbox.take("history")!);
    for (let seq = 41; seq <= 3_000; seq++) outbox.add(telemetry(seq));
    outbox.giveBack();
    const again = Array.from({ length: 16 }, () => outbox.take("history")!.payload);
    expect(again).toEqual(taken.map((l) => l.payload));
  });

  it("stays within its size on disk", () => {
    const folder = quickFolder();
    const outbox = open(folder, { capacity: 1_000_000, bytes_max: 2 * MB });
    outage(outbox, 4_000);
    expect(outbox.unsaved).toBe(0);
    expect(outbox.size + outbox.rolled_up + outbox.dropped).toBe(8_001);
    expect(statSync(join(folder, "R-A-01.outbox.db")).size).toBeLessThanOrEqual(2 * MB);
  });
});

describe("an outbox whose disk fails", () => {
  it("begins a new file when the old one is corrupt, and keeps the old one aside", () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "R-A-01.outbox.db"), "not a database, ".repeat(1_000));
    const outbox = open(folder);
    outbox.add(letter("telemetry", "1"));
    expect(outbox).toMatchObject({ size: 1, unsaved: 0 });
    expect(existsSync(join(folder, "R-A-01.outbox.db.corrupt"))).toBe(true);
    expect(drain(open(killed(folder))).map((l) => l.payload)).toEqual(["1"]);
  });

  it("lives through a file whose pages are overwritten while it is away, and counts what cannot be read", () => {
    const folder = temporaryFolder();
    const before = open(folder);
    for (let seq = 1; seq <= 200; seq++) before.add(telemetry(seq));
    before.close();
    const file = join(folder, "R-A-01.outbox.db");
    writeFileSync(file, readFileSync(file).fill(0xff, 4096));
    const outbox = open(folder);
    outbox.add(telemetry(201));
    drain(outbox);
    outbox.add(telemetry(202));
    const seqs = contentOf<TelemetrySample>(drain(outbox), "telemetry").map((s) => s.seq);
    expect(seqs.at(-1)).toBe(202);
    expect(outbox).toMatchObject({ size: 0, unsaved: 0 });
    expect(existsSync(`${file}.corrupt`)).toBe(true);
  });

  it("keeps letters in memory while the folder cannot be made, and moves them to the disk when it can", () => {
    const folder = temporaryFolder();
    const blocked = join(folder, "agent");
    writeFileSync(blocked, "a file where the folder should be");
    const clock = virtualClock();
    const outbox = open(blocked, { clock });
    for (const p of ["1", "2"]) outbox.add(letter("telemetry", p));
    expect(outbox).toMatchObject({ size: 2, unsaved: 2, dropped: 0 });
    rmSync(blocked);
    mkdirSync(blocked);
    clock.advance(60_000);
    outbox.add(letter("telemetry", "3"));
    expect(outbox).toMatchObject({ size: 3, unsaved: 0 });
    expect(drain(open(killed(blocked))).map((l) => l.payload)).toEqual(["1", "2", "3"]);
  });

  const may_mount = process.getuid?.() === 0 && process.platform === "linux";
  it.skipIf(!may_mount)("goes on, on disk, when something else fills the disk (root only)", () => {
    const folder = temporaryFolder();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=16m", "tmpfs", folder]);
    onTestFinished(() => {
      execFileSync("umount", ["-l", folder]);
    });
    const outbox = open(folder, { capacity: 1_000_000, bytes_max: 64 * MB });
    for (let seq = 1; seq <= 3_000; seq++) outbox.add(telemetry(seq));
    expect(() => writeFileSync(join(folder, "filler"), Buffer.alloc(32 * MB))).toThrow("ENOSPC");
    for (let seq = 3_001; seq <= 4_500; seq++) outbox.add(telemetry(seq));
    expect(outbox).toMatchObject({ unsaved: 0, dropped: 0 });
    expect(outbox.rolled_up).toBeGreaterThan(1_000);
    rmSync(join(folder, "filler"));
    const again = open(killed(folder));
    const samples = contentOf<TelemetrySample>(drain(again), "telemetry");
    expect(samples.reduce((sum, s) => sum + s.interval_s, 0)).toBe(5 * 4_500);
    expect(samples.at(-1)?.seq).toBe(4_500);
  });
});
