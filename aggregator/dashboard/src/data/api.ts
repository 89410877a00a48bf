import { askToken, currentToken, setToken } from "./token.ts";

/** What the API refused, in its own words and with its stable code. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** The person closed the question for the token: nothing was done, and nothing is wrong. */
export class Cancelled extends Error {}

interface ErrorBody {
  error?: { code?: string; message?: string };
}

async function request<T>(path: string, init: RequestInit): Promise<T> {
  const response = await fetch(path, init).catch(() => {
    throw new ApiError(0, "UNREACHABLE", "The aggregator does not answer.");
  });
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body as T;
  const { error } = (body ?? {}) as ErrorBody;
  throw new ApiError(response.status, error?.code ?? "HTTP", error?.message ?? `HTTP ${response.status}`);
}

/** Reads; nothing but the aggregator itself is ever asked. */
export function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return request<T>(path, signal ? { signal } : {});
}

/**
 * Changes something. Sends the operator's token along, and asks for it where the API wants one.
 *
 * @throws ApiError for a refusal; Cancelled if no token was given
 */
export async function send<T>(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<T> {
  for (;;) {
    const token = currentToken();
    const headers: Record<string, string> = {};
    if (body !== undefined) headers["content-type"] = "application/json";
    if (token !== null) headers.authorization = `Bearer ${token}`;
    const init: RequestInit = { method, headers };
    if (body !== undefined) init.body = JSON.stringify(body);
    try {
      return await request<T>(path, init);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      setToken(null);
      const given = await askToken(token === null ? null : "The aggregator did not accept that token.");
      if (given === null) throw new Cancelled();
    }
  }
}

export const post = <T>(path: string, body?: unknown): Promise<T> => send<T>("POST", path, body);
