import { signal } from "@preact/signals";

const KEY = "skadi-token";

/** The operator's API token: kept for this tab alone, and asked for when something needs it. */
let token = sessionStorage.getItem(KEY);

interface Question {
  /** Why it is asked for again. */
  problem: string | null;
  answer: (token: string | null) => void;
}

/** What the token dialog shows; null while nobody needs a token. */
export const token_question = signal<Question | null>(null);
export const has_token = signal(token !== null);

export const currentToken = (): string | null => token;

export function setToken(next: string | null): void {
  token = next;
  has_token.value = next !== null;
  if (next === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, next);
}

/** Asks the person in front of the page; null if they would rather not. */
export async function askToken(problem: string | null): Promise<string | null> {
  const given = await new Promise<string | null>((resolve) => {
    token_question.value = { problem, answer: resolve };
  });
  token_question.value = null;
  if (given !== null) setToken(given);
  return given;
}
