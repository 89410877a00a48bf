import { existsSync, realpathSync } from "node:fs";
import { basename, isAbsolute, relative, resolve } from "node:path";
import { Worker } from "node:worker_threads";
import type { Limits } from "../../shared/contracts/config-parts.ts";
import type { ModelFile } from "../../shared/contracts/model.ts";
import type { Lineage } from "../../shared/contracts/registry.ts";
import { type Rejection, SkadiError, skadiError } from "../../shared/errors.ts";
import type { TrainOptions } from "../../shared/ims/train.ts";

export type TrainSource = { kind: "csv"; path: string } | { kind: "stored"; database: string };

/** A model, and what is to be kept with it. */
export interface Trained {
  model: ModelFile;
  lineage: Lineage;
  /** The training report, as a page. */
  page: string;
}
export type TrainReply = ({ ok: true } & Trained) | { ok: false; rejections: Rejection[] };

interface TrainRequest extends Pick<TrainOptions, "kind" | "threshold" | "trim_share"> {
  /** A CSV file inside the data directory; null trains on the stored telemetry. */
  data: string | null;
  clusters: number;
  seed: number;
}

export interface Trainer {
  /** @throws SkadiError SKADI_BAD_DATA for unusable data, SKADI_CONFLICT while another training runs */
  train(request: TrainRequest): Promise<Trained>;
  /** Ends a training that still runs. */
  stop(): Promise<void>;
}

/** Trains in a worker thread, one at a time, so that ingest and API go on meanwhile. */
export function createTrainer(context: { data_dir: string; database: string; limits: Limits }): Trainer {
  let worker: Worker | null = null;
  let last_s = 0;
  let of_second = 0;
  /** Models are named by the second; two of one second must differ all the same. */
  const suffix = (created_ms: number) => {
    const second = Math.floor(created_ms / 1000);
    of_second = second === last_s ? of_second + 1 : 1;
    last_s = second;
    return of_second === 1 ? {} : { id_suffix: `_${of_second}` };
  };
  return {
    async train(request) {
      if (worker) throw skadiError("SKADI_CONFLICT", { expected: "no other training to be running" });
      const source: TrainSource =
        request.data === null
          ? { kind: "stored", database: context.database }
          : { kind: "csv", path: insideDataDir(context.data_dir, request.data) };
      const data = source.kind === "csv" ? basename(source.path) : "stored telemetry";
      const { data: _, ...recipe } = request;
      const created_ms = Date.now();
      const options: TrainOptions = {
        ...recipe,
        limits: context.limits,
        data,
        created_ms,
        ...suffix(created_ms),
      };
      worker = new Worker(new URL("./train-worker.ts", import.meta.url), { workerData: { source, options } });
      try {
        const reply = await replyOf(worker);
        if (!reply.ok) throw new SkadiError(reply.rejections);
        return reply;
      } finally {
        worker = null;
      }
    },
    async stop() {
      await worker?.terminate();
    },
  };
}

function replyOf(worker: Worker): Promise<TrainReply> {
  return new Promise((resolveReply, rejectReply) => {
    worker.once("message", resolveReply);
    worker.once("error", rejectReply);
    worker.once("exit", () =>
      rejectReply(skadiError("SKADI_CONFLICT", { expected: "the training to be left to finish" })),
    );
  });
}

/** Resolves a path that a client named; links and .. must not lead out of the data directory. */
function insideDataDir(data_dir: string, path: string): string {
  const refuse = (expected: string) => skadiError("SKADI_BAD_DATA", { field: "data", value: path, expected });
  const root = realpathSync(data_dir);
  const candidate = [resolve(root, path), resolve(path)].find((p) => existsSync(p));
  if (!candidate) throw refuse("an existing CSV file in the data directory");
  const real = realpathSync(candidate);
  const inside = relative(root, real);
  if (inside.startsWith("..") || isAbsolute(inside)) throw refuse("a file inside the data directory");
  return real;
}
