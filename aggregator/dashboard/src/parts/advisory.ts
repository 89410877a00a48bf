import type { Mode } from "../../../../shared/contracts/action.ts";

/** What Skadi leaves to people, by the modes of the racks concerned; null where it drives them all. */
export function advisoryText(modes: readonly Mode[]): string | null {
  const advised = modes.filter((mode) => mode === "advisory").length;
  if (advised === 0) return null;
  const where = advised < modes.length ? ` on ${advised} of ${modes.length} racks` : "";
  return `Advisory${where}: drives nothing by itself${where && " there"}, and says what it would do.`;
}
