import fs, { existsSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { basename, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { writeWholeFile } from "../../../shared/whole-file.ts";
import { temporaryFolder } from "../../support/temporary.ts";

/** What `task` syncs, by the path that the descriptor has then, and what it renames; nobody can cut the power in a test. */
function onItsWayToTheDisk(task: () => void): string[] {
  const steps: string[] = [];
  const { fsyncSync, renameSync } = fs;
  vi.spyOn(fs, "fsyncSync").mockImplementation((descriptor) => {
    steps.push(`sync ${basename(readlinkSync(`/proc/self/fd/${descriptor}`))}`);
    fsyncSync(descriptor);
  });
  vi.spyOn(fs, "renameSync").mockImplementation((from, to) => {
    steps.push(`${basename(String(from))} → ${basename(String(to))}`);
    renameSync(from, to);
  });
  syncBuiltinESMExports();
  try {
    task();
  } finally {
    vi.restoreAllMocks();
    syncBuiltinESMExports();
  }
  return steps;
}

describe("a file that is written whole", () => {
  it("replaces the one before it, in a folder that is made where there is none", () => {
    const folder = join(temporaryFolder(), "deep", "down");
    const file = join(folder, "state.json");
    writeWholeFile(file, "a longer text than the second");
    writeWholeFile(file, "second");
    expect(readFileSync(file, "utf8")).toBe("second");
    expect(readdirSync(folder)).toEqual(["state.json"]);
  });

  it("can be for its owner alone", () => {
    const file = join(temporaryFolder(), "key.pem");
    writeWholeFile(file, "secret", { mode: 0o600 });
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("leaves the old one where the new one cannot be written", () => {
    const folder = temporaryFolder();
    const file = join(folder, "state.json");
    writeWholeFile(file, "old");
    // A folder where the new content should go.
    fs.mkdirSync(`${file}.${process.pid}.tmp`);
    expect(() => writeWholeFile(file, "new")).toThrow(/EISDIR/);
    expect(readFileSync(file, "utf8")).toBe("old");
  });

  it.skipIf(!existsSync("/proc/self/fd"))(
    "has its content on the disk before its name, and its name before the call returns",
    () => {
      const folder = temporaryFolder();
      const file = join(folder, "state.json");
      writeFileSync(file, "old");
      const temporary = `state.json.${process.pid}.tmp`;
      expect(onItsWayToTheDisk(() => writeWholeFile(file, "new"))).toEqual([
        `sync ${temporary}`,
        `${temporary} → state.json`,
        `sync ${basename(folder)}`,
      ]);
    },
  );
});
