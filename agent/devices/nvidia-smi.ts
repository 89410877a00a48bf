import { skadiError } from "../../shared/errors.ts";
import type { Clock } from "../../shared/time.ts";
import { startCommand } from "./command.ts";

/** What nvidia-smi said of one GPU last. */
export interface GpuRow {
  index: number;
  uuid: string;
  at_ms: number;
  /** In the order asked for; null: not available on this GPU. */
  values: readonly (number | null)[];
}

/** A line of `--format=csv,noheader,nounits` that begins with index and UUID; null: it is none. */
export function parseGpuLine(line: string, queries: number): Omit<GpuRow, "at_ms"> | null {
  const [index = "", uuid = "", ...rest] = line.split(",").map((column) => column.trim());
  if (!/^\d+$/.test(index) || rest.length !== queries) return null;
  // [N/A], [Not Supported], [Unknown Error], [GPU requires reset]: nothing to be had.
  return {
    index: Number(index),
    uuid,
    values: rest.map((text) => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : null)),
  };
}

/** No line of nvidia-smi is longer. */
const LINE_MAX_LENGTH = 4_096;

export interface NvidiaSmi {
  /** The rows by UUID; rejects when the program has ended. Waits until every GPU was told of. */
  rows(signal: AbortSignal): Promise<ReadonlyMap<string, GpuRow>>;
  stop(): void;
}

/**
 * Keeps one nvidia-smi running that repeats its answer: a new one for each read would wake the driver up each time,
 * which takes seconds on a machine with eight GPUs.
 */
export function startNvidiaSmi(options: {
  program: string;
  queries: readonly string[];
  every_ms: number;
  clock: Clock;
}): NvidiaSmi {
  const { program, queries, every_ms, clock } = options;
  const rows = new Map<string, GpuRow>();
  let rest = "";
  /** What is wrong with a GPU or a query, nvidia-smi says on its standard output. */
  let said = "";
  /** A GPU was told of twice, so every GPU was told of once. */
  let all_told = false;
  let ended: string | undefined;
  let wake = () => {};
  const query = `--query-gpu=${["index", "uuid", ...queries].join(",")}`;
  const child = startCommand([program, query, "--format=csv,noheader,nounits", `--loop-ms=${every_ms}`], {
    onStdout(chunk) {
      const lines = (rest + chunk.toString("utf8")).split("\n");
      rest = (lines.pop() ?? "").slice(0, LINE_MAX_LENGTH);
      for (const line of lines) {
        const row = parseGpuLine(line, queries.length);
        if (row) {
          all_told ||= rows.has(row.uuid);
          rows.set(row.uuid, { ...row, at_ms: clock.now() });
        } else if (line.trim()) said = line.trim().slice(0, 200);
      }
      if (all_told) wake();
    },
    onEnd(reason) {
      ended = reason ?? "it ended by itself";
      if (said) ended += `: ${said}`;
      wake();
    },
  });
  return {
    async rows(signal) {
      if (!all_told && ended === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          signal.addEventListener("abort", () => resolve(), { once: true });
        });
      }
      if (ended === undefined) return rows;
      throw skadiError("SKADI_DRIVER", { field: "program", value: program, expected: `to go on (${ended})` });
    },
    stop: child.kill,
  };
}
