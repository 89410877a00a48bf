import { expect, it } from "vitest";
import { siteLevel } from "../../../../aggregator/optimizer/site-level.ts";
import { createScorer } from "../../../../shared/ims/score.ts";
import { smallModel } from "../../../support/models.ts";

const site = createScorer(smallModel());
const pinned = createScorer({ ...smallModel(), tau_fast: 4 * site.model.tau_fast });

it("a rack's D is planned with on the site's scale, whatever model the rack runs", () => {
  expect(siteLevel(2, site, site)).toBe(2);
  expect(siteLevel(2, pinned, site)).toBeCloseTo(0.5, 9);
});

it("stays as it is where there is nothing to convert, or no scale to convert to", () => {
  expect(siteLevel(null, pinned, site)).toBeNull();
  expect(siteLevel(2, null, site)).toBe(2);
  expect(siteLevel(2, pinned, null)).toBe(2);
});
