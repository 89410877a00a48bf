import { stringify } from "yaml";
import { siteDashboard } from "../grafana/dashboard.ts";
import { asyncApiDocument } from "./asyncapi.ts";
import { clientTypes } from "./client-types.ts";
import { metricsTable } from "./metrics.ts";
import { openApiDocument } from "./openapi.ts";

/** Every file that is made from the code, by its path in the project. */
export async function documents(): Promise<Record<string, string>> {
  const openapi = await openApiDocument();
  const asyncapi = asyncApiDocument();
  return {
    "docs/api/openapi.json": json(openapi),
    "docs/api/asyncapi.json": json(asyncapi),
    "docs/api/asyncapi.yaml": stringify(asyncapi, { aliasDuplicateObjects: false, lineWidth: 0 }),
    "docs/api/metrics.md": await metricsTable(),
    "integrations/grafana/skadi.json": json(siteDashboard()),
    "integrations/client/paths.ts": clientTypes(openapi),
  };
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
