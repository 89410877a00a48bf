import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { type components, skadiClient } from "../../integrations/client/client.ts";
import { HOT, sample, type TestSite, testSite } from "./aggregator-harness.ts";

describe("the typed client", () => {
  let site: TestSite;
  beforeAll(async () => {
    site = await testSite({ config: { rows: ["A"], racks_per_row: 2 } });
  });
  afterAll(() => site.close());
  const client = (token?: string) =>
    skadiClient({ url: site.aggregator.http_url, ...(token === undefined ? {} : { token }) });

  it("sends a sample and reads the score of it", async () => {
    const { data, error } = await client().POST("/telemetry", {
      body: sample("R-A-01", HOT) as TelemetryInput,
    });
    expect(error).toBeUndefined();
    expect(data).toMatchObject({ accepted: 1, rejected: [] });
    expectTypeOf(data!.scores).toEqualTypeOf<components["schemas"]["Score"][]>();
    expect(data!.scores[0]).toMatchObject({ rack_id: "R-A-01", scored_by: "aggregator" });
  });

  it("reads state, with parameters", async () => {
    const { data: overview } = await client().GET("/state/overview");
    expect(overview).toMatchObject({ site: "dc1", mode: "advisory" });
    const query = { type: "inlet" } as const;
    const { data: heatmap } = await client().GET("/heatmap", { params: { query } });
    expectTypeOf(heatmap!.cells[0]!.value).toEqualTypeOf<number | null>();
    expect(heatmap!.cells.map(({ rack_id, value }) => [rack_id, value])).toEqual([
      ["R-A-01", 29],
      ["R-A-02", null],
    ]);
  });

  it("resolves with the error of an answer that is none, by its code", async () => {
    const { data, error, response } = await client().GET("/incidents/{id}", {
      params: { path: { id: "none" } },
    });
    expect(data).toBeUndefined();
    expect(error!.error.code).toBe("SKADI_NOT_FOUND");
    expect(response.status).toBe(404);
  });

  it("controls the site with the token, and not without", async () => {
    const order = { body: { mode: "closed_loop" } } as const;
    expect((await client().POST("/mode", order)).error!.error.code).toBe("SKADI_UNAUTHORIZED");
    const { data } = await client(site.aggregator.api_token).POST("/mode", order);
    expect(data).toMatchObject({ mode: "closed_loop", kill_switch: false });
  });
});

type TelemetryInput = components["schemas"]["TelemetryInput"];
