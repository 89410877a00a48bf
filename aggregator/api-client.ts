import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import type { AggregatorConfig } from "../shared/contracts/config.ts";
import { parseValue } from "../shared/contracts/parse.ts";
import { Rejection } from "../shared/contracts/rejection.ts";
import { SkadiError, skadiError } from "../shared/errors.ts";
import { reachableHost } from "./reachable-host.ts";
import { tokenFile } from "./secrets.ts";

/** The API of a running aggregator, for the command line. */
export interface ApiClient {
  readonly base: string;
  /** @throws SkadiError with the aggregator's own reasons, or SKADI_NOT_FOUND where none answers */
  get<S extends z.ZodType>(path: string, answer: S): Promise<z.output<S>>;
  /** With the token of the data directory. */
  send<S extends z.ZodType>(
    method: "POST" | "PUT" | "DELETE",
    path: string,
    body: object | undefined,
    answer: S,
  ): Promise<z.output<S>>;
}

const Refusal = z.object({ error: z.object({ rejections: z.tuple([Rejection], Rejection) }) });
/** Whoever has not answered by then is not going to. */
const PATIENCE_MS = 60_000;

/** @param url address of the aggregator; default: where one of this configuration listens */
export function apiClient(config: AggregatorConfig, url?: string): ApiClient {
  const base = url ?? `http://${reachableHost(config.http.host)}:${config.http.port}`;
  const ask = async <S extends z.ZodType>(path: string, init: RequestInit, answer: S) => {
    const body = await fetchJson(base, path, init);
    const parsed = parseValue(answer, body);
    if (!parsed.ok) throw new SkadiError(parsed.rejections);
    return parsed.value;
  };
  return {
    base,
    get: (path, answer) => ask(path, {}, answer),
    send(method, path, body, answer) {
      const headers: Record<string, string> = { authorization: `Bearer ${readToken(config.data_dir)}` };
      if (body !== undefined) headers["content-type"] = "application/json";
      return ask(path, { method, headers, ...(body && { body: JSON.stringify(body) }) }, answer);
    },
  };
}

async function fetchJson(base: string, path: string, init: RequestInit): Promise<unknown> {
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(new URL(path, base), { ...init, signal: AbortSignal.timeout(PATIENCE_MS) });
    body = await response.json();
  } catch (error) {
    throw noAggregator(base, reasonOf(error));
  }
  if (response.ok) return body;
  const refusal = Refusal.safeParse(body);
  throw refusal.success
    ? new SkadiError(refusal.data.error.rejections)
    : noAggregator(base, `HTTP ${response.status}`);
}

/** `fetch failed` alone says nothing; its cause does. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const code = cause instanceof Error && "code" in cause ? ` (${cause.code})` : "";
  return `${error.message}${code}`;
}

function noAggregator(base: string, reason: string): SkadiError {
  return skadiError("SKADI_NOT_FOUND", {
    field: "url",
    value: base,
    expected: `a running aggregator (${reason})`,
  });
}

function readToken(data_dir: string): string {
  const file = tokenFile(data_dir);
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  const expected = "the data directory of an aggregator that has run, which holds the token";
  throw skadiError("SKADI_NOT_FOUND", { field: "data_dir", value: file, expected });
}
