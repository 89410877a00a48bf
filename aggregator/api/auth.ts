import type { FastifyReply, FastifyRequest } from "fastify";
import { skadiError } from "../../shared/errors.ts";
import { sameSecret } from "../secrets.ts";

/** For routes that control something: `Authorization: Bearer <token>`, checked before anything else is read. */
export function requireToken(token: string) {
  return async (request: FastifyRequest, _reply: FastifyReply): Promise<void> => {
    if (hasToken(request, token)) return;
    throw skadiError("SKADI_UNAUTHORIZED", {
      field: "authorization",
      expected: "Bearer <token of data_dir/api-token>",
    });
  };
}

/** Whether the request came with the token. */
export function hasToken(request: FastifyRequest, token: string): boolean {
  const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1];
  return given !== undefined && sameSecret(given, token);
}

/** Marks a route as needing the token, in the OpenAPI document. */
export const TOKEN_SECURITY = [{ token: [] }];

/** Browsers send the page's origin with a WebSocket but do not hold it back; other sites' pages are refused here. */
export async function sameOrigin(request: FastifyRequest): Promise<void> {
  const { origin, host } = request.headers;
  if (origin === undefined || URL.parse(origin)?.host === host) return;
  throw skadiError("SKADI_UNAUTHORIZED", { field: "origin", value: origin, expected: `a page of ${host}` });
}
