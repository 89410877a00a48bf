import type { Size } from "./screen.ts";

/** The terminal as a sheet that is written over and given back as it was. */
export interface FullScreen {
  size(): Size;
  show(lines: readonly string[]): void;
  onResize(draw: () => void): void;
  close(): void;
}

/** Control sequences of ECMA-48 and xterm, which every terminal in use knows. */
const ESC = "\u001b[";
const ENTER = `${ESC}?1049h${ESC}?25l`;
const LEAVE = `${ESC}?25h${ESC}?1049l`;
const HOME = `${ESC}H`;
const CLEAR_LINE = `${ESC}K`;
const CLEAR_BELOW = `${ESC}J`;
/** No line may be wrapped: a cut row is better than a shifted table. */
const NO_WRAP = `${ESC}?7l`;
const WRAP = `${ESC}?7h`;

export function fullScreen(): FullScreen {
  const { stdin, stdout } = process;
  // Emptied first: tmux would move what does not fit any more, after a resize, to the shell's screen.
  const leave = () => stdout.write(`${HOME}${CLEAR_BELOW}${WRAP}${LEAVE}`);
  // Whatever ends the program, the shell gets its terminal back.
  process.once("exit", leave);
  stdout.write(`${ENTER}${NO_WRAP}`);
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.resume();
  let redraw: (() => void) | null = null;
  return {
    size: () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }),
    show: (lines) => {
      stdout.write(`${HOME}${lines.map((line) => CLEAR_LINE + line).join("\r\n")}${CLEAR_BELOW}`);
    },
    onResize(draw) {
      redraw = draw;
      stdout.on("resize", draw);
    },
    close() {
      if (redraw) stdout.off("resize", redraw);
      process.off("exit", leave);
      if (stdin.isTTY) stdin.setRawMode(false);
      stdin.pause();
      leave();
    },
  };
}
