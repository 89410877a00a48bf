import createClient, { type Client } from "openapi-fetch";
import type { paths } from "./paths.ts";

export type { components, paths } from "./paths.ts";

/**
 * A typed client of the aggregator's HTTP API. Every call resolves with `{ data }` or, for an answer that is no success,
 * `{ error }`; only a network that fails makes it reject.
 *
 * @param token the content of <data_dir>/api-token, for what controls something
 */
export function skadiClient(options: { url: string; token?: string }): Client<paths, "application/json"> {
  const { url, token } = options;
  return createClient<paths, "application/json">({
    baseUrl: url.replace(/\/$/, ""),
    ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
  });
}
