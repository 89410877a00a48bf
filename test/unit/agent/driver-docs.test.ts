import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { AgentConfig } from "../../../shared/contracts/config.ts";

const FOLDER = new URL("../../../docs/drivers/", import.meta.url).pathname;
const pages = globSync("*.md", { cwd: FOLDER }).sort();

/** The YAML blocks of a page, each with the line that it begins at. */
function blocks(page: string): { line: number; yaml: string }[] {
  const text = readFileSync(FOLDER + page, "utf8");
  return [...text.matchAll(/^```yaml\n(.*?)^```/gms)].map((match) => ({
    line: text.slice(0, match.index).split("\n").length,
    yaml: match[1]!,
  }));
}

describe("the drivers' documentation", () => {
  it.each(pages)("%s has examples", (page) => {
    expect(blocks(page).length).toBeGreaterThan(0);
  });

  it.each(pages.flatMap((page) => blocks(page).map((block) => ({ page, ...block }))))(
    "$page line $line is a configuration that the agent accepts",
    ({ yaml }) => {
      const result = AgentConfig.safeParse({ rack_id: "R-A-01", ...parse(yaml) });
      expect(result.error?.issues ?? []).toEqual([]);
    },
  );
});
