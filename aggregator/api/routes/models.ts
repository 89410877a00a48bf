import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import * as z from "zod";
import { Timestamp } from "../../../shared/contracts/envelope.ts";
import { type ModelFile, ModelId } from "../../../shared/contracts/model.ts";
import { ModelDiff } from "../../../shared/contracts/model-diff.ts";
import { rowOf } from "../../../shared/contracts/rack.ts";
import { Lineage, ModelDetail, Pin, RegisteredModel } from "../../../shared/contracts/registry.ts";
import { RolloutView } from "../../../shared/contracts/rollout.ts";
import { SkadiError, skadiError } from "../../../shared/errors.ts";
import { MODEL_MAX_BYTES, validateModel } from "../../../shared/ims/model-file.ts";
import { agentOnline } from "../../fleet.ts";
import { diffModels } from "../../models/registry/diff.ts";
import { lineageOfFile } from "../../models/registry/lineage.ts";
import { referenceRows } from "../../models/registry/reference.ts";
import { requireToken, TOKEN_SECURITY } from "../auth.ts";
import { documentOnly } from "../body.ts";
import type { Api, ApiContext, RouteGroup } from "../context.ts";
import { ErrorBody } from "../errors.ts";

/** Whoever has the token. */
const OPERATOR = "operator";

const Reason = z.string().min(1).max(200);
const reasonOr = (otherwise: string) => z.object({ reason: Reason.default(otherwise) }).prefault({});
const ById = z.object({ id: z.string().describe("id, SHA-256 or its first 8 or more digits") });
const Pushed = z.union([
  z.looseObject({ id: ModelId }).describe("a model file"),
  z.object({ model: z.looseObject({ id: ModelId }), lineage: Lineage }).describe("with where it comes from"),
]);

export const modelRoutes: RouteGroup = (api, context) => {
  readRoutes(api, context);
  stageRoutes(api, context);
  pinRoutes(api, context);
  keyRoutes(api, context);
};

const read = (summary: string) => ({ tags: ["models"], summary });
const change = (summary: string) => ({ ...read(summary), security: TOKEN_SECURITY });

function readRoutes(api: Api, context: ApiContext): void {
  const { registry } = context;
  api.get("/models", {
    schema: {
      ...read("Every model that the site has known, newest first, with its lineage and stages"),
      response: {
        200: z.object({ active: ModelId.nullable(), models: z.array(RegisteredModel) }),
        "4xx": ErrorBody,
      },
    },
    handler: async () => ({ active: registry.active()?.model_id ?? null, models: registry.list() }),
  });
  api.get("/models/:id", {
    schema: {
      ...read("One model: lineage, stages, thresholds, who runs it"),
      params: ById,
      response: { 200: ModelDetail, "4xx": ErrorBody },
    },
    handler: async ({ params }) => detail(context, need(context, params.id)),
  });
  api.get("/models/:id/file", {
    schema: {
      ...read("The model file"),
      params: ById,
      response: { 200: z.unknown().describe("a model file"), "4xx": ErrorBody },
    },
    handler: async ({ params }) => needFile(context, need(context, params.id)),
  });
  api.get("/models/:id/report", {
    schema: {
      ...read("The training report, as a page"),
      produces: ["text/html"],
      params: ById,
      response: { 200: z.string().describe("HTML"), "4xx": ErrorBody },
    },
    handler: async ({ params }, reply) =>
      reply.type("text/html; charset=utf-8").send(report(context, need(context, params.id))),
  });
  api.get("/models/:id/diff/:other", {
    schema: {
      ...read("How two models differ: centres, thresholds, agreement on golden and recent samples"),
      params: ById.extend({ other: z.string() }),
      response: { 200: ModelDiff, "4xx": ErrorBody },
    },
    handler: async ({ params }) => {
      const a = needFile(context, need(context, params.id));
      const b = needFile(context, need(context, params.other));
      const site = { now_ms: context.clock.now(), racks: context.fleet.racks.length };
      return diffModels(a, b, referenceRows(a, b, context.store.samples, site));
    },
  });
}

function stageRoutes(api: Api, context: ApiContext): void {
  const { registry, rollouts } = context;
  const authorized = requireToken(context.token);
  api.post("/models", {
    onRequest: authorized,
    validatorCompiler: documentOnly,
    schema: {
      ...change("Registers a model file as a candidate; no rack runs it yet"),
      body: Pushed,
      response: { 200: RegisteredModel, "4xx": ErrorBody },
    },
    handler: async ({ body }) => registerPushed(context, body),
  });
  api.post("/models/:id/promote", {
    onRequest: authorized,
    schema: {
      ...change("Starts to bring a model to every rack: canary and waves, or at once"),
      params: ById,
      body: z
        .object({
          gated: z.boolean().default(true).describe("a site's first model is never gated"),
          reason: Reason.default("promoted"),
        })
        .prefault({}),
      response: { 200: RolloutView, "4xx": ErrorBody },
    },
    handler: async ({ params, body }) => {
      const model = need(context, params.id);
      const active = registry.active();
      if (model.stage === "active") {
        const detail = { field: "model", value: model.model_id };
        throw skadiError("SKADI_CONFLICT", { ...detail, expected: "a model that is not active already" });
      }
      const gated = body.gated && active !== null;
      return rollouts.start(model, { gated, by: OPERATOR, reason: body.reason });
    },
  });
  api.post("/models/rollback", {
    onRequest: authorized,
    schema: {
      ...change("Goes back to the model before, at once; halts a rollout that is under way"),
      body: reasonOr("rolled back"),
      response: { 200: RolloutView, "4xx": ErrorBody },
    },
    handler: async ({ body }) => rollouts.rollback(OPERATOR, body.reason),
  });
  api.get("/rollouts", {
    schema: {
      ...read("Rollouts, newest first"),
      response: { 200: z.object({ rollouts: z.array(RolloutView) }), "4xx": ErrorBody },
    },
    handler: async () => ({ rollouts: rollouts.list() }),
  });
  api.get("/rollouts/:id", {
    schema: {
      ...read("One rollout: waves, answers, gates and what happened"),
      params: z.object({ id: z.string() }),
      response: { 200: RolloutView, "4xx": ErrorBody },
    },
    handler: async ({ params }) => {
      const rollout = rollouts.get(params.id);
      if (rollout) return rollout;
      const expected = "a rollout of this site";
      throw skadiError("SKADI_NOT_FOUND", { field: "rollout", value: params.id, expected });
    },
  });
  api.post("/rollouts/:id/halt", {
    onRequest: authorized,
    schema: {
      ...change("Stops a rollout: its racks go back to what they ran before"),
      params: z.object({ id: z.string() }),
      body: reasonOr("halted"),
      response: { 200: RolloutView, "4xx": ErrorBody },
    },
    handler: async ({ params, body }) => rollouts.halt(params.id, OPERATOR, body.reason),
  });
}

function pinRoutes(api: Api, { registry, rollouts, fleet, token }: ApiContext): void {
  const authorized = requireToken(token);
  api.get("/models/pins", {
    schema: {
      ...read("Racks and rows that keep one model whatever the site runs"),
      response: { 200: z.object({ pins: z.array(Pin) }), "4xx": ErrorBody },
    },
    handler: async () => ({ pins: registry.pins() }),
  });
  api.put("/models/pins", {
    onRequest: authorized,
    schema: {
      ...change("Pins a rack or a row to a model; a rack's pin outranks its row's"),
      body: z.object({
        scope: z.string().describe("a rack such as R-C-07, or a row such as C"),
        model_id: z.string().describe("id, SHA-256 or its first 8 or more digits"),
      }),
      response: { 200: Pin, "4xx": ErrorBody },
    },
    handler: async ({ body }) => {
      const { scope, model_id } = body;
      if (!fleet.racks.some(({ rack_id }) => rack_id === scope || rowOf(rack_id) === scope)) {
        const expected = "a rack or a row of this site";
        throw skadiError("SKADI_NOT_FOUND", { field: "scope", value: scope, expected });
      }
      const pin = registry.pin(scope, model_id, OPERATOR);
      rollouts.pinsChanged();
      return pin;
    },
  });
  api.delete("/models/pins/:scope", {
    onRequest: authorized,
    schema: {
      ...change("Lets a rack or a row follow the site again"),
      params: z.object({ scope: z.string() }),
      response: { 200: z.object({ unpinned: Pin }), "4xx": ErrorBody },
    },
    handler: async ({ params }) => {
      const unpinned = registry.unpin(params.scope, OPERATOR);
      rollouts.pinsChanged();
      return { unpinned };
    },
  });
}

function keyRoutes(api: Api, { rollouts, keys, token }: ApiContext): void {
  api.get("/keys", {
    schema: {
      ...read("The keys that agents are to trust; the current one signs models and commands"),
      response: {
        200: z.object({
          keys: z.array(z.object({ key_id: z.string(), since: Timestamp, current: z.boolean() })),
        }),
        "4xx": ErrorBody,
      },
    },
    handler: async () => ({ keys: keys.keys() }),
  });
  api.post("/keys/rotate", {
    onRequest: requireToken(token),
    schema: {
      ...change("Makes a new key; agents learn of it by a ring that the present one signs"),
      response: { 200: z.object({ key_id: z.string() }), "4xx": ErrorBody },
    },
    handler: async () => rollouts.rotateKey(OPERATOR),
  });
}

function need({ registry }: ApiContext, name: string): RegisteredModel {
  const model = registry.find(name);
  if (model) return model;
  throw skadiError("SKADI_NOT_FOUND", { field: "model", value: name, expected: "a registered model" });
}

function needFile({ registry, library }: ApiContext, { model_id, sha256 }: RegisteredModel): ModelFile {
  const file = registry.file(sha256);
  if (file) return file;
  const expected = `its file in ${library.folder}, unaltered`;
  throw skadiError("SKADI_NOT_FOUND", { field: "model", value: model_id, expected });
}

function detail({ registry, fleet }: ApiContext, model: RegisteredModel): ModelDetail {
  const runs = fleet.racks.filter(({ status }) =>
    status?.model_sha256 ? status.model_sha256 === model.sha256 : status?.model_id === model.model_id,
  );
  return {
    ...model,
    content: registry.file(model.sha256),
    racks: runs.filter(agentOnline).map(({ rack_id }) => rack_id),
    pins: registry.pins().filter(({ sha256 }) => sha256 === model.sha256),
  };
}

/** Only the name of a report counts: what a note beside a found model says must not lead out of the folder. */
function report({ library }: ApiContext, { model_id, lineage }: RegisteredModel): string {
  const path = lineage.report === null ? null : join(library.folder, basename(lineage.report));
  if (path?.endsWith(".html") && existsSync(path)) return readFileSync(path, "utf8");
  const expected = "a model that was trained here; report-model makes a report of any other";
  throw skadiError("SKADI_NOT_FOUND", { field: "report", value: model_id, expected });
}

function registerPushed({ registry }: ApiContext, body: unknown): RegisteredModel {
  const noted = z.object({ model: z.unknown(), lineage: Lineage }).safeParse(body);
  const file = noted.success ? noted.data.model : body;
  if (Buffer.byteLength(JSON.stringify(file) ?? "") > MODEL_MAX_BYTES) {
    const expected = `≤ ${MODEL_MAX_BYTES} bytes, which agents take`;
    throw skadiError("SKADI_PAYLOAD_TOO_LARGE", { field: "model", expected });
  }
  const parsed = validateModel(file);
  if (!parsed.ok) throw new SkadiError(parsed.rejections);
  const model = parsed.value;
  const namesake = registry.list().find(({ model_id }) => model_id === model.id);
  if (namesake && namesake.sha256 !== model.sha256) {
    const expected = `an id that no other model has (${namesake.sha256.slice(0, 12)} has it)`;
    throw skadiError("SKADI_CONFLICT", { field: "id", value: model.id, expected });
  }
  const lineage: Lineage = noted.success
    ? { ...noted.data.lineage, source: "pushed", report: null }
    : lineageOfFile(model, "pushed");
  return registry.register(model, lineage, OPERATOR);
}
