/** Whether a name fits a pattern in which `*` stands for any text and `?` for one character; case does not count. */
export function nameFits(pattern: string): (name: string) => boolean {
  const source = pattern
    .trim()
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  const whole = new RegExp(`^${source}$`, "is");
  return (name) => whole.test(name.trim());
}
