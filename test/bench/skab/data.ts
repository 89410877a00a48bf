import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readFeatureRows } from "../../../shared/ims/rows.ts";

/** The rig's eight sensors (units in the benchmark's README: g, g, A, bar, °C, °C, V, L/min). */
export const SKAB_COLUMNS = [
  "Accelerometer1RMS",
  "Accelerometer2RMS",
  "Current",
  "Pressure",
  "Temperature",
  "Thermocouple",
  "Voltage",
  "Volume Flow RateRMS",
] as const;

/** The protocol's: everything is fitted to this many rows of a recording, and the later ones are judged. */
export const FIT_ROWS = 400;

export interface Recording {
  name: string;
  /** Row-major, n × SKAB_COLUMNS.length, at 1 Hz. */
  x: Float64Array;
  /** 1 where the row is labelled anomalous. */
  labels: Uint8Array;
}

/** The columns that change at all while a model is learnt; training refuses the others. */
export function livelyColumns({ x }: Recording): string[] {
  const F = SKAB_COLUMNS.length;
  return SKAB_COLUMNS.filter((_, j) => {
    for (let i = 1; i < FIT_ROWS; i++) if (x[i * F + j] !== x[j]) return true;
    return false;
  });
}

/** Some columns of a recording's rows, in the order of SKAB_COLUMNS. */
export function pickColumns({ x }: Recording, columns: readonly string[]): Float64Array {
  const F = SKAB_COLUMNS.length;
  const at = [...SKAB_COLUMNS.keys()].filter((j) => columns.includes(SKAB_COLUMNS[j]!));
  return Float64Array.from({ length: (x.length / F) * at.length }, (_, i) => {
    return x[Math.floor(i / at.length) * F + at[i % at.length]!]!;
  });
}

/** The experiments of one folder (`valve1`), in order of their numbers. */
export async function readExperiments(folder: string): Promise<Recording[]> {
  const files = readdirSync(folder).filter((name) => name.endsWith(".csv"));
  files.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
  return Promise.all(
    files.map(async (name) => {
      const path = join(folder, name);
      const [x, anomaly] = await Promise.all([
        readFeatureRows(path, SKAB_COLUMNS),
        readFeatureRows(path, ["anomaly"]),
      ]);
      return { name, x, labels: Uint8Array.from(anomaly) };
    }),
  );
}

/** A piece as long as the experiments, and the step to the next. */
const PIECE_ROWS = 1150;
const PIECE_STEP_ROWS = 550;

/** The anomaly-free recording in overlapping pieces as long as an experiment, each to be treated like one. */
export async function readNominalPieces(path: string): Promise<Recording[]> {
  const x = await readFeatureRows(path, SKAB_COLUMNS);
  const F = SKAB_COLUMNS.length;
  const pieces: Recording[] = [];
  for (let from = 0; from + PIECE_ROWS <= x.length / F; from += PIECE_STEP_ROWS) {
    const piece = x.subarray(from * F, (from + PIECE_ROWS) * F);
    pieces.push({ name: `anomaly-free@${from}`, x: piece, labels: new Uint8Array(PIECE_ROWS) });
  }
  return pieces;
}
