import { describe, expect, it } from "vitest";
import { parseGpuLine } from "../../../agent/devices/nvidia-smi.ts";

const UUID = "GPU-6e1a4f0c-7a1f-2b9e-9d2c-1f0a3b5c7d9e";

describe("a line of nvidia-smi", () => {
  it("is a GPU with its numbers", () => {
    expect(parseGpuLine(`3, ${UUID}, 412.37, 61`, 2)).toEqual({ index: 3, uuid: UUID, values: [412.37, 61] });
  });

  it.each(["[N/A]", "N/A", "[Not Supported]", "[Unknown Error]", "[GPU requires reset]", ""])(
    "that says %j has nothing to tell there",
    (text) => {
      expect(parseGpuLine(`0, ${UUID}, ${text}, 61`, 2)?.values).toEqual([null, 61]);
    },
  );

  it.each([
    "No devices were found",
    "Unable to determine the device handle for GPU 0000:65:00.0: Unknown Error",
    'Field "power.drawn" is not a valid field to query.',
    `0, ${UUID}, 412.37`,
    "",
  ])("such as %j is none", (line) => {
    expect(parseGpuLine(line, 2)).toBeNull();
  });
});
