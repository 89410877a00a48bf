import { setImmediate as nextTurn } from "node:timers/promises";
import type { FastifyError } from "fastify";
import * as z from "zod";
import { PAYLOAD_MAX_BYTES } from "../../../shared/contracts/parse.ts";
import { Score } from "../../../shared/contracts/score.ts";
import { TelemetryInput } from "../../../shared/contracts/telemetry.ts";
import { type Rejection, reject, SkadiError } from "../../../shared/errors.ts";
import { bodyBytes, documentOnly } from "../body.ts";
import type { ApiContext, RouteGroup } from "../context.ts";
import { ErrorBody, IndexedRejection, toSkadiError } from "../errors.ts";

const Batch = z.object({ samples: z.array(TelemetryInput).min(1) });
const Result = z.object({
  accepted: z.int(),
  duplicates: z.int(),
  late: z.int(),
  rejected: z.array(IndexedRejection),
  /** Of samples that were scored here; at most the last 1,000. */
  scores: z.array(Score),
});
type Result = z.infer<typeof Result>;

/** Samples handled between two turns of the event loop: a large batch must not hold up everybody else. */
const CHUNK = 500;
const SCORES_MAX = 1_000;

export const telemetryRoutes: RouteGroup = (api, context) => {
  const common = { tags: ["telemetry"], response: { 200: Result, "4xx": ErrorBody } };
  // A body that never became samples (malformed, too large, of another type) is a rejected payload too.
  const onError = async (_request: unknown, _reply: unknown, error: FastifyError): Promise<void> => {
    if (recorded.has(error)) return;
    context.rejections.record("(http)", "telemetry", toSkadiError(error).rejections);
  };
  api.post("/telemetry", {
    schema: {
      ...common,
      summary: "One sample, or several as {samples}",
      body: z.union([TelemetryInput, Batch]),
    },
    validatorCompiler: documentOnly,
    onError,
    handler: (request) => ingest(context, request.body, bodyBytes(request)),
  });
  api.post("/telemetry/batch", {
    schema: { ...common, summary: "Several samples; the valid ones are accepted", body: Batch },
    validatorCompiler: documentOnly,
    onError,
    handler: (request) => ingest(context, asBatch(request.body), bodyBytes(request)),
  });
};

/** Errors whose rejections were recorded sample by sample. */
const recorded = new WeakSet<Error>();

function asBatch(body: unknown): unknown {
  if (hasSamples(body)) return body;
  const detail = { field: "samples", expected: "an array of telemetry samples" };
  throw new SkadiError(reject("SKADI_INVALID_FIELD", detail));
}

function hasSamples(body: unknown): body is { samples: unknown } {
  return typeof body === "object" && body !== null && "samples" in body;
}

/** The samples of a request; a single one is a batch of one. */
function samplesOf(body: unknown): unknown[] {
  if (!hasSamples(body)) return [body];
  if (Array.isArray(body.samples) && body.samples.length > 0) return body.samples;
  const detail = {
    field: "samples",
    value: body.samples,
    expected: "a non-empty array of telemetry samples",
  };
  throw new SkadiError(reject("SKADI_INVALID_FIELD", detail));
}

async function ingest(context: ApiContext, body: unknown, bytes: number): Promise<Result> {
  const samples = samplesOf(body);
  const result: Result = { accepted: 0, duplicates: 0, late: 0, rejected: [], scores: [] };
  for (const [index, sample] of samples.entries()) {
    if (index > 0 && index % CHUNK === 0) await nextTurn();
    const outcome = context.telemetry.fromValue(
      sample,
      tooLarge(sample, samples.length === 1 ? bytes : null, bytes),
    );
    if (!outcome.ok) {
      result.rejected.push(...outcome.rejections.map((rejection) => ({ index, ...rejection })));
      continue;
    }
    const { kind, score } = outcome.value;
    if (kind === "in_order") result.accepted++;
    else if (kind === "late") result.late++;
    else result.duplicates++;
    if (score) result.scores.push(score);
  }
  if (result.accepted + result.duplicates + result.late === 0) {
    const error = new SkadiError(result.rejected);
    recorded.add(error);
    throw error;
  }
  if (result.scores.length > SCORES_MAX) result.scores = result.scores.slice(-SCORES_MAX);
  return result;
}

/** A batch may be large, a sample may not; only in a body beyond the limit is each sample measured. */
function tooLarge(sample: unknown, own_bytes: number | null, body_bytes: number): Rejection | null {
  if (body_bytes <= PAYLOAD_MAX_BYTES) return null;
  const bytes = own_bytes ?? JSON.stringify(sample)?.length ?? 0;
  if (bytes <= PAYLOAD_MAX_BYTES) return null;
  const expected = `≤ ${PAYLOAD_MAX_BYTES} bytes`;
  return reject("SKADI_PAYLOAD_TOO_LARGE", { field: "(payload)", value: `${bytes} bytes`, expected });
}
