import * as z from "zod";
import { Timestamp } from "../../../shared/contracts/envelope.ts";
import { type ModelFile, ModelKind, ThresholdRule } from "../../../shared/contracts/model.ts";
import { Rejection } from "../../../shared/contracts/rejection.ts";
import { Score } from "../../../shared/contracts/score.ts";
import { agentOnline } from "../../fleet.ts";
import { keepTrained } from "../../models/registry/keep-trained.ts";
import { requireToken, TOKEN_SECURITY } from "../auth.ts";
import type { ApiContext, RouteGroup } from "../context.ts";
import { ErrorBody } from "../errors.ts";

const Model = z.object({
  id: z.string(),
  created_at: Timestamp.nullable(),
  active: z.boolean(),
  valid: z.boolean(),
  file: z.string(),
  tau_fast: z.number().nullable(),
  tau_persist: z.number().nullable(),
  clusters: z.int().nullable(),
  nominal_rows: z.int().nullable(),
  rejections: z.array(Rejection),
  /** Racks by their answer to the model; `silent` are those online that have not answered. */
  accepted: z.array(z.string()),
  refused: z.array(z.object({ rack_id: z.string(), errors: z.array(Rejection) })),
  silent: z.array(z.string()),
});

const Train = z
  .object({
    data: z
      .string()
      .optional()
      .describe("a CSV file in the data directory; without it, the stored telemetry"),
    n_clusters: z.int().min(1).max(4096).optional(),
    clusters: z.int().min(1).max(4096).default(8),
    seed: z.int().min(0).default(42),
    kind: ModelKind.default("kmeans"),
    threshold: ThresholdRule.optional().describe("without it, p95 and p98 of D"),
    trim_share: z
      .number()
      .min(0)
      .max(0.5)
      .default(0)
      .describe("of the nominal rows, set aside as contamination at most"),
    activate: z.boolean().default(false).describe("push the model to every agent when it is ready"),
  })
  .prefault({});
const Trained = z.object({
  model_id: z.string(),
  file: z.string(),
  activated: z.boolean(),
  tau_fast: z.number(),
  tau_persist: z.number(),
  rows: z.int(),
  nominal_rows: z.int(),
  clusters: z.int(),
  mean_d: z.number(),
  std_d: z.number(),
  train_s: z.number(),
});

export const imsRoutes: RouteGroup = (api, context) => {
  api.get("/ims/scores", {
    schema: {
      tags: ["ims"],
      summary: "Scores, newest first",
      querystring: z.object({ limit: z.coerce.number().int().min(1).max(10_000).default(100) }),
      response: { 200: z.object({ scores: z.array(Score) }), "4xx": ErrorBody },
    },
    handler: async (request) => ({ scores: context.store.samples.recentScores(request.query.limit) }),
  });
  api.get("/ims/models", {
    schema: {
      tags: ["ims"],
      summary: "Model files, and which agents took them",
      response: {
        200: z.object({ active: z.string().nullable(), models: z.array(Model) }),
        "4xx": ErrorBody,
      },
    },
    handler: async () => ({
      active: context.rollouts.scorer()?.model.id ?? null,
      models: listModels(context),
    }),
  });
  api.post("/ims/train", {
    onRequest: requireToken(context.token),
    schema: {
      tags: ["ims"],
      summary: "Trains a model; answers when it is ready",
      security: TOKEN_SECURITY,
      body: Train,
      response: { 200: Trained, "4xx": ErrorBody },
    },
    handler: async (request) => {
      const { data, n_clusters, clusters, activate, threshold, ...recipe } = request.body;
      const started = performance.now();
      const trained = await context.trainer.train({
        data: data ?? null,
        clusters: n_clusters ?? clusters,
        ...recipe,
        ...(threshold && { threshold }),
      });
      const train_s = (performance.now() - started) / 1000;
      const { file } = keepTrained(context, trained, "operator");
      if (activate) context.rollouts.activate(trained.model);
      return summary(trained.model, file, activate, train_s);
    },
  });
};

function summary(
  model: ModelFile,
  file: string,
  activated: boolean,
  train_s: number,
): z.infer<typeof Trained> {
  const { rows, nominal_rows, clusters, mean_d, std_d } = model.training;
  const { id: model_id, tau_fast, tau_persist } = model;
  return {
    model_id,
    file,
    activated,
    tau_fast,
    tau_persist,
    rows,
    nominal_rows,
    clusters,
    mean_d,
    std_d,
    train_s,
  };
}

function listModels({ library, rollouts, store, fleet }: ApiContext): z.infer<typeof Model>[] {
  const active_sha256 = rollouts.scorer()?.model.sha256;
  return library.list().map(({ path, parsed }) => {
    if (!parsed.ok) return brokenModel(path, parsed.rejections);
    const model = parsed.value;
    const acks = store.models.acks(model.id);
    const active = model.sha256 === active_sha256;
    const answered = new Set(acks.map((ack) => ack.rack_id));
    const silent = fleet.racks.filter((rack) => active && agentOnline(rack) && !answered.has(rack.rack_id));
    return {
      id: model.id,
      created_at: model.created_at,
      active,
      valid: true,
      file: path,
      tau_fast: model.tau_fast,
      tau_persist: model.tau_persist,
      clusters: model.training.clusters,
      nominal_rows: model.training.nominal_rows,
      rejections: [],
      accepted: acks.filter((ack) => ack.ok).map((ack) => ack.rack_id),
      refused: acks.filter((ack) => !ack.ok).map(({ rack_id, errors }) => ({ rack_id, errors })),
      silent: silent.map((rack) => rack.rack_id),
    };
  });
}

function brokenModel(path: string, rejections: Rejection[]): z.infer<typeof Model> {
  const nothing = { tau_fast: null, tau_persist: null, clusters: null, nominal_rows: null };
  const answers = { accepted: [], refused: [], silent: [] };
  return {
    id: path,
    created_at: null,
    active: false,
    valid: false,
    file: path,
    ...nothing,
    rejections,
    ...answers,
  };
}
