import {
  deltaT,
  gpuPowerKw,
  MEASURED_FIELDS,
  type TelemetrySample,
} from "../../shared/contracts/telemetry.ts";
import type { ScoredSample } from "../store/store.ts";

/**
 * The columns of exported telemetry: those of the data sets (docs/data.md), what makes a sample repeatable, and what was
 * made of it. `quality` names the readings that are not good, as `inlet_c=suspect;pdu_kw=stale`.
 */
export const COLUMNS = [
  "ts",
  "rack_id",
  "seq",
  "interval_s",
  ...MEASURED_FIELDS,
  "delta_t",
  "gpu_power_kw",
  "quality",
  "d",
  "tau_fast",
  "tau_persist",
  "level",
  "mms_state",
  "model_id",
] as const;
export type Column = (typeof COLUMNS)[number];
/** null: there is no value. */
export type Cell = string | number | null;
export type ExportRow = Readonly<Record<Column, Cell>>;

export function toRow({ sample, score, mms }: ScoredSample): ExportRow {
  const { ts, rack_id, seq, interval_s } = sample;
  const measured = Object.fromEntries(MEASURED_FIELDS.map((field) => [field, sample[field]])) as Record<
    (typeof MEASURED_FIELDS)[number],
    number | null
  >;
  return {
    ...{ ts, rack_id, seq, interval_s, ...measured },
    delta_t: finite(deltaT(sample)),
    gpu_power_kw: finite(gpuPowerKw(sample)),
    quality: qualityText(sample),
    d: score?.d ?? null,
    tau_fast: score?.tau_fast ?? null,
    tau_persist: score?.tau_persist ?? null,
    level: score?.state ?? null,
    mms_state: mms?.state ?? null,
    model_id: score?.model_id ?? null,
  };
}

function qualityText({ quality }: TelemetrySample): string | null {
  const doubtful = MEASURED_FIELDS.filter((field) => quality[field] !== "good");
  return doubtful.length > 0 ? doubtful.map((field) => `${field}=${quality[field]}`).join(";") : null;
}

/** Columns that an import must have, and those that it uses where they are there; all others are ignored. */
export const NEEDED_COLUMNS = ["ts", "rack_id", ...MEASURED_FIELDS] as const;
export const USED_COLUMNS = ["seq", "interval_s", "gpu_power_kw", "quality"] as const;
export type ImportColumn = (typeof NEEDED_COLUMNS)[number] | (typeof USED_COLUMNS)[number];

/** A row of a file as a telemetry sample of which nothing is checked yet: that is the schema's work. */
export function fromRow(row: Partial<Record<ImportColumn, Cell>>): Record<string, unknown> {
  const { quality, seq, interval_s, gpu_power_kw, ...rest } = row;
  return {
    ...rest,
    ...(seq === null || seq === undefined ? {} : { seq }),
    ...(interval_s === null || interval_s === undefined ? {} : { interval_s }),
    ...(gpu_power_kw === null || gpu_power_kw === undefined ? {} : { gpu_power_kw }),
    ...(quality === null || quality === undefined || quality === ""
      ? {}
      : { quality: qualityOf(String(quality)) }),
  };
}

function qualityOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(";").map((entry) => {
      const [field = "", quality = ""] = entry.split("=");
      return [field, quality];
    }),
  );
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
