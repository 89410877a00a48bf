import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { documentWith, follow, merged, stepsOf } from "../../../agent/devices/json-pointer.ts";

describe("a JSON pointer", () => {
  it("leads to a value, by names with slashes and tildes too", () => {
    const document = { "a/b": [{ "m~n": 1 }, { "m~n": 2 }] };
    expect(follow(document, stepsOf("/a~1b/1/m~0n")).value).toBe(2);
    expect(follow(document, stepsOf("a/b")).value).toBe(document["a/b"]);
  });

  it("leads nowhere rather than into what every object has", () => {
    expect(follow({}, stepsOf("/constructor/name")).value).toBeUndefined();
    expect(follow({ a: null }, stepsOf("/a/b")).value).toBeUndefined();
    expect(follow("text", stepsOf("/length")).value).toBeUndefined();
  });

  it("finds in a document what the document was made to say there, whatever the steps", () => {
    const step = fc.oneof(fc.stringMatching(/^[A-Za-z@.]{1,8}$/), fc.integer({ min: 0, max: 9 }).map(String));
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), fc.integer(), (steps, value) => {
        expect(follow(documentWith(steps, value), steps).value).toBe(value);
      }),
    );
  });

  it("into a list leaves the items before it as they are", () => {
    expect(documentWith(stepsOf("/PowerControl/1/Limit"), 5)).toEqual({ PowerControl: [{}, { Limit: 5 }] });
  });
});

describe("two documents as one", () => {
  it("say what both say", () => {
    expect(merged({ a: { b: 1 } }, { a: { c: 2 } })).toEqual({ a: { b: 1, c: 2 } });
    expect(merged({ a: [{}, { b: 1 }] }, { a: [{ c: 2 }, { d: 3 }] })).toEqual({
      a: [{ c: 2 }, { b: 1, d: 3 }],
    });
    expect(merged({ a: 1 }, { a: 2 })).toEqual({ a: 2 });
  });
});
