import { describe, expect, it } from "vitest";
import { emptySlots, sharedSlots, slotFiller } from "../../../sim/data/slots.ts";

describe("slots between two threads", () => {
  it("hand over what was filled in, in order, until the end", () => {
    const slots = sharedSlots(4, 3);
    const filler = slotFiller(slots);
    for (const values of [[1, 2, 3], [4], [5, 6]]) {
      filler.next()!.set(values);
      filler.hand(values.length);
    }
    filler.hand(0);
    const seen: number[][] = [];
    emptySlots(slots, (values) => seen.push([...values]));
    expect(seen).toEqual([[1, 2, 3], [4], [5, 6]]);
    expect(filler.drained()).toBe(true);
  });

  it("tell the filling thread that the other has failed, instead of letting it wait", () => {
    const slots = sharedSlots(1, 2);
    const filler = slotFiller(slots);
    filler.next()!.fill(1);
    filler.hand(2);
    const full = () => {
      throw new Error("disk full");
    };
    expect(() => emptySlots(slots, full)).toThrow("disk full");
    expect(filler.next()).toBeNull();
    expect(filler.drained()).toBe(false);
  });
});
