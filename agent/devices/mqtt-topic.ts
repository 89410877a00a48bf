/** Whether a topic fits a filter with the wildcards `+` and `#` (MQTT 3.1.1, section 4.7). */
export function topicFits(filter: string, topic: string): boolean {
  // Topics of the broker itself are never meant by a wildcard.
  if (topic.startsWith("$") && /^[+#]/.test(filter)) return false;
  const [levels, wanted] = [topic.split("/"), filter.split("/")];
  if (wanted.at(-1) === "#") {
    const before = wanted.slice(0, -1);
    return levels.length >= before.length && before.every((level, i) => level === "+" || level === levels[i]);
  }
  return levels.length === wanted.length && wanted.every((level, i) => level === "+" || level === levels[i]);
}
