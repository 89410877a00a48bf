import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { AgentConfig } from "../../../shared/contracts/agent-config.ts";

const FILES = globSync("docs/drivers/*.md", { cwd: new URL("../../..", import.meta.url) });
const blocks = (file: string) =>
  [...readFileSync(new URL(`../../../${file}`, import.meta.url), "utf8").matchAll(/```yaml\n(.*?)```/gs)].map(
    ([, yaml]) => parse(yaml!) as object,
  );

describe("the drivers' documentation", () => {
  it("exists", () => {
    expect(FILES.length).toBeGreaterThan(0);
  });

  it.each(FILES)("%s shows configurations that the agent takes", (file) => {
    expect(blocks(file).length).toBeGreaterThan(0);
    for (const block of blocks(file)) {
      expect(AgentConfig.safeParse({ rack_id: "R-A-01", ...block }).error?.issues).toBeUndefined();
    }
  });
});
