import { createHash } from "node:crypto";
import type { ModelFile } from "../../shared/contracts/model.ts";
import { SkadiError } from "../../shared/errors.ts";
import { FEATURES } from "../../shared/ims/features.ts";
import { rowBuffer } from "../../shared/ims/rows.ts";
import { trainModel } from "../../shared/ims/train.ts";
import type { Span } from "../drift/exclusions.ts";
import type { RackSeries, ReadSeries } from "../drift/stored-series.ts";
import type { RetrainRequest } from "./retrain.ts";

const F = FEATURES.length;

/** A model and what it was learnt from. */
export interface Trained {
  scope: string;
  span: Span;
  /** Of the model's id: tells it from others of the same second. */
  suffix: string;
  model: ModelFile;
  data_sha256: string;
}

/** Which rows of a rack may be learnt from. */
export type UsableRows = (series: RackSeries) => Uint8Array;

/** No model where a span or a row has too little nominal operation for one. */
export function tryTraining(
  request: RetrainRequest,
  read: ReadSeries,
  { scope, span, suffix, usable }: { scope: string; span: Span; suffix: string; usable: UsableRows },
): Trained[] {
  const racks = request.racks.filter(({ row }) => scope === "site" || row === scope);
  const expected_rows = (racks.length * (span.to_ms - span.from_ms)) / request.interval_ms;
  const stride = Math.max(1, Math.ceil(expected_rows / request.rows_max));
  const rows = rowBuffer();
  for (const { rack_id } of racks) {
    const series = read(rack_id, span.from_ms, span.to_ms, stride);
    const flags = usable(series);
    for (let i = 0; i < flags.length; i++) if (flags[i]) rows.push(series.x.subarray(i * F, i * F + F));
  }
  const x = rows.matrix();
  const data_sha256 = createHash("sha256").update(x).digest("hex");
  const { clusters, seed, limits, created_ms } = request;
  const options = { clusters, seed, limits, created_ms, data: "stored telemetry", id_suffix: suffix };
  try {
    return [{ scope, span, suffix, model: trainModel(x, options), data_sha256 }];
  } catch (error) {
    if (error instanceof SkadiError && error.code === "SKADI_BAD_DATA") return [];
    throw error;
  }
}
