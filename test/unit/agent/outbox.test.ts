import { describe, expect, it } from "vitest";
import { memoryOutbox } from "../../../agent/uplink/outbox.ts";

const letter = (channel: "telemetry" | "action", payload: string) => ({ channel, payload });

describe("the outbox in memory", () => {
  it("gives letters out in the order in which they came, each once", () => {
    const outbox = memoryOutbox(10);
    for (const p of ["1", "2", "3"]) outbox.add(letter("telemetry", p));
    const taken = Array.from({ length: 4 }, () => outbox.take("history")?.payload);
    expect(taken).toEqual(["1", "2", "3", undefined]);
  });

  it("counts a letter until it is confirmed", () => {
    const outbox = memoryOutbox(10);
    outbox.add(letter("telemetry", "1"));
    const taken = outbox.take("history")!;
    expect(outbox.size).toBe(1);
    outbox.confirm(taken);
    expect(outbox.size).toBe(0);
  });

  it("puts what was on its way back in front when the connection is lost", () => {
    const outbox = memoryOutbox(10);
    for (const p of ["1", "2", "3"]) outbox.add(letter("telemetry", p));
    outbox.take("history");
    outbox.take("history");
    outbox.giveBack();
    expect([outbox.take("history")?.payload, outbox.size]).toEqual(["1", 3]);
  });

  it("gives up the oldest telemetry when it is full, never a decision, and counts what it lost", () => {
    const outbox = memoryOutbox(3);
    outbox.add(letter("action", "decision"));
    for (const p of ["1", "2", "3", "4"]) outbox.add(letter("telemetry", p));
    const left = [
      outbox.take("news"),
      outbox.take("history"),
      outbox.take("history"),
      outbox.take("history"),
    ];
    expect(left.map((l) => l?.payload)).toEqual(["decision", "3", "4", undefined]);
    expect(outbox.dropped).toBe(2);
  });
});
