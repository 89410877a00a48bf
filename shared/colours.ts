import pc from "picocolors";

/** Colours on a terminal that shows them, unless NO_COLOR forbids; elsewhere every function leaves its text as it is. */
export function coloursFor(stream: { isTTY?: boolean }) {
  return pc.createColors(stream.isTTY === true && pc.isColorSupported);
}
export type Colours = ReturnType<typeof coloursFor>;
