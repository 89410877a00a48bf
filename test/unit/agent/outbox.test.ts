import { describe, expect, it } from "vitest";
import { memoryOutbox } from "../../../agent/uplink/outbox.ts";

const letter = (channel: "telemetry" | "action", payload: string) => ({ channel, payload });

describe("the outbox", () => {
  it("gives letters out in the order in which they came, each once", () => {
    const outbox = memoryOutbox(10);
    for (const p of ["1", "2", "3"]) outbox.add(letter("telemetry", p));
    expect([outbox.take()?.payload, outbox.take()?.payload, outbox.take()?.payload, outbox.take()]).toEqual([
      "1",
      "2",
      "3",
      undefined,
    ]);
  });

  it("counts a letter until it is confirmed", () => {
    const outbox = memoryOutbox(10);
    outbox.add(letter("telemetry", "1"));
    const taken = outbox.take()!;
    expect(outbox.size).toBe(1);
    outbox.confirm(taken);
    expect(outbox.size).toBe(0);
  });

  it("counts a letter that will never arrive as dropped", () => {
    const outbox = memoryOutbox(10);
    outbox.add(letter("telemetry", "1"));
    outbox.lose(outbox.take()!);
    expect({ size: outbox.size, dropped: outbox.dropped }).toEqual({ size: 0, dropped: 1 });
  });

  it("gives up the oldest telemetry when it is full, never a decision, and counts what it lost", () => {
    const outbox = memoryOutbox(3);
    outbox.add(letter("action", "decision"));
    for (const p of ["1", "2", "3", "4"]) outbox.add(letter("telemetry", p));
    const left = [outbox.take(), outbox.take(), outbox.take(), outbox.take()].map((l) => l?.payload);
    expect(left).toEqual(["decision", "3", "4", undefined]);
    expect(outbox.dropped).toBe(2);
  });
});
