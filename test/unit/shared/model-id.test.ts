import { expect, it } from "vitest";
import { Status } from "../../../shared/contracts/messages.ts";
import { Score } from "../../../shared/contracts/score.ts";
import { agentStatus } from "../../integration/aggregator-harness.ts";
import { score } from "../aggregator/store-suite.ts";

it.each(['=HYPERLINK("http://example.org")', "a,b", "a\nb", "", "../m"])(
  "a score or a status that names a model %j is refused",
  (model_id) => {
    expect(Score.safeParse({ ...score("R-A-01", 1, 1), model_id }).success).toBe(false);
    expect(Status.safeParse({ ...agentStatus("R-A-01", "online"), model_id }).success).toBe(false);
  },
);

it("a score names a model by its id, a status none where there is none", () => {
  expect(Score.safeParse({ ...score("R-A-01", 1, 1), model_id: "ims_2026-01.b" }).success).toBe(true);
  expect(Status.safeParse({ ...agentStatus("R-A-01", "online"), model_id: null }).success).toBe(true);
});
