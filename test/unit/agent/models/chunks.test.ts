import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collectChunks } from "../../../../agent/models/chunks.ts";
import { awaitDelivery } from "../../../../agent/models/delivery.ts";
import { virtualClock } from "../../../../shared/time.ts";
import { smallModel } from "../../../support/models.ts";
import { partsOf, releaseOf } from "../../../support/signed-manifests.ts";

const model = smallModel();
const CHUNKS = 5;
const release = releaseOf(model, CHUNKS);
const parts = partsOf(model, CHUNKS);
const whole = Buffer.concat(parts);

/** Any part, as it is, cut short, or one that does not belong. */
const delivery = fc.oneof(
  fc.record({ n: fc.nat(CHUNKS - 1), keep: fc.constant(1) }),
  fc.record({ n: fc.nat(CHUNKS + 2), keep: fc.double({ min: 0, max: 1, noNaN: true }) }),
);
const cut = ({ n, keep }: { n: number; keep: number }) => {
  const part = parts[n % CHUNKS]!;
  return part.subarray(0, Math.floor(part.byteLength * keep));
};

describe("the parts of a model", () => {
  it("make it whole in any order, with any repetitions", () => {
    const order = fc.shuffledSubarray([0, 1, 2, 3, 4, 0, 1, 2, 3, 4], { minLength: 10 });
    fc.assert(
      fc.property(order, (sequence) => {
        const chunks = collectChunks(release);
        for (const n of sequence) chunks.add(n, parts[n]!);
        expect(chunks.bytes()?.equals(whole)).toBe(true);
      }),
    );
  });

  it("make it whole or nothing, whatever is lost, cut short or thrown in", () => {
    fc.assert(
      fc.property(fc.array(delivery, { maxLength: 30 }), (sequence) => {
        const chunks = collectChunks(release);
        for (const one of sequence) chunks.add(one.n, cut(one));
        const bytes = chunks.bytes();
        if (bytes === null) expect(chunks.problem().code).toBe("SKADI_MODEL_INCOMPLETE");
        else expect(bytes.equals(whole)).toBe(true);
      }),
    );
  });

  it("are named where they are missing", () => {
    const chunks = collectChunks(release);
    chunks.add(0, parts[0]!);
    chunks.add(3, parts[3]!);
    expect(chunks.problem()).toMatchObject({ value: "no part 1, 2, 4" });
  });

  it("never take more memory than was announced", () => {
    const chunks = collectChunks({ chunks: 2, bytes: 10 });
    expect(chunks.add(0, Buffer.alloc(100_000_000))).toBe(false);
    expect(chunks.add(7, Buffer.alloc(1))).toBe(false);
    expect(chunks.problem()).toMatchObject({ value: "no part 0, 1" });
  });
});

describe("the delivery of a model", () => {
  function start() {
    const clock = virtualClock();
    const listeners = new Set<(n: number, part: Uint8Array) => void>();
    const heard = { complete: [] as Buffer[], incomplete: [] as string[], attempts: 0 };
    const delivery = awaitDelivery({
      release,
      clock,
      wait_s: 30,
      listen(sha256, onPart) {
        expect(sha256).toBe(model.sha256);
        heard.attempts++;
        listeners.add(onPart);
        return () => listeners.delete(onPart);
      },
      onComplete: (bytes) => heard.complete.push(Buffer.from(bytes)),
      onIncomplete: ({ code }) => heard.incomplete.push(code),
    });
    const send = (...numbers: number[]) => {
      for (const n of numbers) for (const listener of listeners) listener(n, parts[n]!);
    };
    return { clock, listeners, heard, delivery, send };
  }

  it("ends its subscription when the model is whole", () => {
    const { heard, listeners, send, clock, delivery } = start();
    send(4, 2, 2, 0, 1, 3);
    expect(heard.complete).toEqual([whole]);
    expect(listeners.size).toBe(0);
    delivery.hurry();
    clock.advance(3_600_000);
    expect(heard).toMatchObject({ attempts: 1, incomplete: [] });
  });

  it("says what is missing when its time is over, and asks again later, from the start", () => {
    const { heard, listeners, send, clock } = start();
    send(0, 1);
    clock.advance(30_000);
    expect(heard.incomplete).toEqual(["SKADI_MODEL_INCOMPLETE"]);
    expect(listeners.size, "nothing is listened to meanwhile").toBe(0);
    clock.advance(30_000);
    expect(heard.attempts).toBe(2);
    send(2, 3, 4);
    expect(heard.complete).toEqual([]);
    send(1, 0);
    expect(heard.complete).toEqual([whole]);
  });

  it("becomes rarer the longer it is in vain, but never ceases", () => {
    const { heard, clock } = start();
    clock.advance(3_600_000);
    const in_first_hour = heard.attempts;
    expect(in_first_hour).toBeGreaterThan(4);
    expect(in_first_hour).toBeLessThan(10);
    clock.advance(86_400_000);
    expect(heard.attempts - in_first_hour).toBeGreaterThan(80);
  });

  it("is tried at once when something suggests that the parts are there", () => {
    const { heard, delivery, send, clock } = start();
    clock.advance(30_000);
    delivery.hurry();
    delivery.hurry();
    expect(heard.attempts).toBe(2);
    send(0, 1, 2, 3, 4);
    expect(heard.complete).toEqual([whole]);
  });

  it("is over when the model is no longer wanted", () => {
    const { heard, listeners, delivery, clock } = start();
    delivery.stop();
    clock.advance(3_600_000);
    expect(listeners.size).toBe(0);
    expect(heard).toEqual({ complete: [], incomplete: [], attempts: 1 });
  });
});
