/**
 * The models that were in force, as a stack: the last one is in force, the one below it is what a rollback goes to.
 *
 * Going back to the one below takes the top off, so that a second rollback goes further back instead of returning to
 * the model that the first one got rid of. Any other model is put on top.
 *
 * @param activated SHA-256 of every model at the time it was put in force, oldest first
 */
export function activationStack(activated: readonly string[]): string[] {
  const stack: string[] = [];
  for (const sha256 of activated) {
    if (stack.at(-1) === sha256) continue;
    if (stack.at(-2) === sha256) stack.pop();
    else stack.push(sha256);
  }
  return stack;
}
