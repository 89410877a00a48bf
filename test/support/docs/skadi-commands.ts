/** A call of one of Skadi's programs in a page: what it is called with, without the values. */
export interface SkadiCall {
  program: string;
  /** Words up to the first option or the first that cannot be a command's name. */
  words: string[];
  /** Long options. */
  options: string[];
}

const CALL =
  /(?:^|[\s;&|(])(?:npx |sudo |npm run )?(skadi-(?:agent|aggregator|sim))(?= )( -- | )([^\n;&|#)]*)/g;

/** Every call of a Skadi program in some shell commands. */
export function skadiCalls(commands: string): SkadiCall[] {
  const joined = commands.replaceAll(/\\\n\s*/g, " ");
  return [...joined.matchAll(CALL)].map(([, program, , rest]) => {
    const tokens = rest!.trim().split(/\s+/);
    const first_option = tokens.findIndex((token) => !/^[a-z][a-z-]*$/.test(token));
    const words = first_option < 0 ? tokens : tokens.slice(0, first_option);
    const options = tokens.filter((token) => /^--[a-z]/.test(token)).map((token) => token.split("=")[0]!);
    return { program: program!, words, options };
  });
}
