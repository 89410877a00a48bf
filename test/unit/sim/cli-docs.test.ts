import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { cliPage } from "../../../sim/docs/cli-page.ts";

describe("docs/cli.md", () => {
  it("is what `npm run docs:cli` makes of the commands", async () => {
    const page = readFileSync(new URL("../../../docs/cli.md", import.meta.url), "utf8");
    expect(page).toBe(await cliPage());
  }, 60_000);
});
