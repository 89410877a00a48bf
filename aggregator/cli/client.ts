import type * as z from "zod";
import { parseValue } from "../../shared/contracts/parse.ts";
import { reject, SkadiError, skadiError } from "../../shared/errors.ts";
import { ErrorBody } from "../api/errors.ts";

/** Where an aggregator is, and where that and the token came from, for messages. */
export interface Target {
  url: string;
  source: string;
  token: string | null;
  token_source: string;
}

type Query = Record<string, string | number | undefined>;

/**
 * A running aggregator, as a command sees it. Every answer is parsed. What goes wrong is thrown with what to do next:
 * SKADI_NO_AGGREGATOR where none answers, SKADI_UNAUTHORIZED without the right token, else what the aggregator says.
 */
export interface AggregatorClient {
  readonly url: string;
  get<S extends z.ZodType>(path: string, answer: S, query?: Query): Promise<z.output<S>>;
  /** For routes that are open to all. */
  post<S extends z.ZodType>(path: string, answer: S, body: object): Promise<z.output<S>>;
  /** The same with the token, for routes that control something. */
  control<S extends z.ZodType>(path: string, answer: S, body: object): Promise<z.output<S>>;
  put<S extends z.ZodType>(path: string, answer: S, body: object): Promise<z.output<S>>;
  remove<S extends z.ZodType>(path: string, answer: S): Promise<z.output<S>>;
}

/** A report over months takes the longest. */
const TIMEOUT_MS = 60_000;

export function aggregatorClient(target: Target): AggregatorClient {
  const base = target.url.replace(/\/+$/, "");
  const ask = async <S extends z.ZodType>(path: string, answer: S, init: RequestInit) => {
    const body = await exchange(target, `${base}${path}`, init);
    const parsed = parseValue(answer, body);
    if (parsed.ok) return parsed.value;
    const next = ["Is another version of Skadi running there? GET /health has its version."];
    throw new SkadiError(parsed.rejections, { next });
  };
  const authorization = () => {
    if (target.token === null) throw noToken(target);
    return { authorization: `Bearer ${target.token}` };
  };
  const send = (body: object, headers: Record<string, string>): RequestInit => ({
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return {
    url: base,
    get: (path, answer, query = {}) => ask(`${path}${queryText(query)}`, answer, {}),
    post: (path, answer, body) => ask(path, answer, send(body, {})),
    control: async (path, answer, body) => ask(path, answer, send(body, authorization())),
    put: async (path, answer, body) => ask(path, answer, { ...send(body, authorization()), method: "PUT" }),
    remove: async (path, answer) => ask(path, answer, { method: "DELETE", headers: authorization() }),
  };
}

function queryText(query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  return given.length > 0 ? `?${new URLSearchParams(given)}` : "";
}

/** The body of a good answer. */
async function exchange(target: Target, url: string, init: RequestInit): Promise<unknown> {
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
    body = await response.json();
  } catch (error) {
    throw noAggregator(target, reasonOf(error), error);
  }
  if (response.ok) return body;
  const refusal = ErrorBody.safeParse(body);
  if (!refusal.success || refusal.data.error.rejections.length === 0)
    throw noAggregator(target, `HTTP ${response.status}`);
  const { rejections } = refusal.data.error;
  if (response.status !== 401) throw new SkadiError(rejections);
  throw new SkadiError(rejections, {
    next: [`The token that was sent is from ${target.token_source}.`, TOKEN],
  });
}

const TOKEN =
  "Give that aggregator's own: SKADI_TOKEN or --token; it is in api-token of its data directory (SKADI_DATA_DIR, --config).";

function noToken({ token_source, url }: Target): SkadiError {
  const rejection = reject("SKADI_UNAUTHORIZED", { field: "token", expected: `the token of ${url}` });
  return new SkadiError(rejection, {
    next: [`There is none in ${token_source}, or it is not for that machine.`, TOKEN],
  });
}

/** What fetch throws says little; its cause says what happened. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause === undefined) return error.message;
  const { cause } = error;
  // Of a name with several addresses none answered: the message is empty, the first error has one.
  if (cause instanceof AggregateError) return reasonOf(cause.errors[0]);
  return cause instanceof Error ? cause.message : String(cause);
}

function noAggregator({ url, source }: Target, reason: string, cause?: unknown): SkadiError {
  const rejection = reject("SKADI_NO_AGGREGATOR", {
    field: "url",
    value: url,
    expected: `a running aggregator (${reason})`,
  });
  const next = [
    `That address is from ${source}.`,
    "Start one here: skadi-aggregator run (or a whole simulated site: skadi-sim demo)",
    "Or name the one that runs: --url http://<host>:<port>, or SKADI_URL",
  ];
  return new SkadiError(rejection, { cause, next });
}

/** For an id that nothing has; `known` are those that exist. */
export function unknownId(field: string, id: string, nearest: readonly string[], list: string): SkadiError {
  const next = [
    ...(nearest.length > 0 ? [`Did you mean ${nearest.join(" or ")}?`] : []),
    `${list} says which there are.`,
  ];
  return new SkadiError(skadiError("SKADI_NOT_FOUND", { field, value: id }).rejections, { next });
}
