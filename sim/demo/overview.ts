import * as z from "zod";
import { parseValue } from "../../shared/contracts/parse.ts";
import { SkadiError } from "../../shared/errors.ts";

/** The part of the aggregator's `GET /state/overview` that the demo shows. */
const Overview = z.object({
  mode: z.string(),
  model_id: z.string().nullable(),
  racks: z.object({
    total: z.number(),
    online: z.number(),
    nominal: z.number(),
    transient: z.number(),
    persistent: z.number(),
  }),
  worst_rack: z
    .object({
      rack_id: z.string(),
      d: z.number(),
      tau_fast: z.number(),
      contributions: z.array(z.object({ feature: z.string(), share: z.number() })),
    })
    .nullable(),
  kpis: z.object({
    wh_per_prompt: z.number().nullable(),
    latency_p95_ms: z.number().nullable(),
    inlet_compliance_pct: z.number().nullable(),
    pdu_kw: z.number(),
  }),
  actions: z.number(),
});
export type Overview = z.infer<typeof Overview>;

/** Asks the aggregator as any client would. */
export async function fetchOverview(http_url: string): Promise<Overview> {
  const response = await fetch(`${http_url}/state/overview`);
  const parsed = parseValue(Overview, await response.json(), "overview");
  if (!parsed.ok) throw new SkadiError(parsed.rejections);
  return parsed.value;
}
