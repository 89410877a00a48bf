import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import * as z from "zod";
import { Rejection } from "../../shared/contracts/rejection.ts";
import { ERROR_TABLE, reject, SkadiError, skadiError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { Api } from "./context.ts";

/** In a batch, `index` is the sample's place in the request. */
export const IndexedRejection = Rejection.extend({ index: z.int().min(0).optional() });

export const ErrorBody = z.object({
  error: z.object({ code: Rejection.shape.code, message: z.string(), rejections: z.array(IndexedRejection) }),
});

/** Every error leaves as `ErrorBody` with the status of its code. */
export function structuredErrors(api: Api, log: Log): void {
  api.setErrorHandler((error: FastifyError, request, reply) => {
    const known = toSkadiError(error);
    if (known.code === "SKADI_INTERNAL") {
      log.error({ err: error, method: request.method, url: request.url }, "request failed");
    }
    return send(reply, known);
  });
  api.setNotFoundHandler((request: FastifyRequest, reply) =>
    send(reply, skadiError("SKADI_NOT_FOUND", { field: "path", value: `${request.method} ${request.url}` })),
  );
}

function send(reply: FastifyReply, error: SkadiError): FastifyReply {
  const { code, message, rejections } = error;
  return reply.code(ERROR_TABLE[code].status).send({ error: { code, message, rejections } });
}

/** What Fastify itself refuses, in our words. */
export function toSkadiError(error: FastifyError | SkadiError): SkadiError {
  if (error instanceof SkadiError) return error;
  const status = error.statusCode ?? 500;
  if (status === 413) {
    return new SkadiError(
      reject("SKADI_PAYLOAD_TOO_LARGE", { field: "(payload)", expected: "a smaller body" }),
    );
  }
  if (status === 415) {
    const detail = { field: "content-type", expected: "application/json" };
    return new SkadiError(reject("SKADI_INVALID_FIELD", detail));
  }
  if (status >= 400 && status < 500) {
    return new SkadiError(reject("SKADI_INVALID_FIELD", { field: "(request)", expected: error.message }));
  }
  return new SkadiError(reject("SKADI_INTERNAL"));
}
