/** What configurations call a secret; tokens in the plural are counted, not kept. */
const SECRET_NAME = /password|passphrase|secret|token(?!s)|bearer|hmac|community|_key$/i;
/** What stands before the host in a URL; greedy, because a password may hold an `@`. */
const CREDENTIALS = /(:\/\/)[^/\s]*@/g;

/** Whether a field of this name holds a secret, which no message or log may repeat. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** The text with the credentials of its URLs blanked. */
export function withoutCredentials(text: string): string {
  return text.replaceAll(CREDENTIALS, "$1(secret)@");
}
