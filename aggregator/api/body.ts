import type { FastifyRequest, FastifySchemaCompiler } from "fastify";
import type * as z from "zod";
import { malformedJson, parseValue } from "../../shared/contracts/parse.ts";
import { SkadiError } from "../../shared/errors.ts";
import type { Api } from "./context.ts";

const body_bytes = new WeakMap<FastifyRequest, number>();

/** How large the request's body was on the wire. */
export const bodyBytes = (request: FastifyRequest): number => body_bytes.get(request) ?? 0;

/**
 * JSON and nothing else: a browser cannot send application/json across origins without asking first, so the open
 * routes are out of reach of other sites' pages. Malformed JSON is rejected in the same words as over MQTT.
 */
export function jsonBodies(api: Api): void {
  api.removeAllContentTypeParsers();
  api.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body, done) => {
    body_bytes.set(request, body.length);
    if (body.length === 0) return done(null, undefined);
    const text = body.toString("utf8");
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      return done(new SkadiError(malformedJson(text, error)));
    }
    done(null, value);
  });
}

/** Validates with the same words as every other edge: all wrong fields at once, each with what was expected. */
export const validateWithRejections: FastifySchemaCompiler<z.ZodType> =
  ({ schema }) =>
  (data) => {
    const parsed = parseValue(schema, data);
    return parsed.ok ? { value: parsed.value } : { error: new SkadiError(parsed.rejections) };
  };

/** For schemas that only document a body which the handler judges itself, item by item. */
export const documentOnly = () => (data: unknown) => ({ value: data });
