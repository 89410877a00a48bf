import { type CommandNode, commandPaths, functionName, type Value, valuedOptions } from "./tree.ts";

/** A script for fish 3; kept as ~/.config/fish/completions/<program>.fish it is loaded when it is needed. */
export function fishScript(program: string, nodes: readonly CommandNode[]): string {
  const at = `_${functionName(program)}_at`;
  const valued = valuedOptions(nodes).flatMap(({ keys }) => keys);
  return `# fish completion of ${program}; ${program} completion fish > ~/.config/fish/completions/${program}.fish
function ${at}
  set -l node ''
  set -l skip 0
  for word in (commandline -opc)[2..-1]
    if test $skip = 1
      set skip 0
      continue
    end
    switch "$node:$word"
      case ${valued.map(quoted).join(" ")}
        set skip 1
        continue
    end
    switch "$node/$word"
      case ${commandPaths(nodes).join(" ")}
        set node "$node/$word"
    end
  end
  test "$node" = "$argv[1]"
end
complete -c ${program} -f
${nodes.flatMap((node) => nodeLines(program, at, node)).join("\n")}
`;
}

function nodeLines(
  program: string,
  at: string,
  { path, commands, options, argument }: CommandNode,
): string[] {
  const start = `complete -c ${program} -n ${quoted(`${at} '${path}'`)}`;
  return [
    ...commands.map(({ name, description }) => `${start} -a ${quoted(name)} -d ${quoted(description)}`),
    ...options.map(({ flags, description, value }) => {
      const names = flags.map((flag) =>
        flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
      );
      return `${start} ${names.join(" ")}${value ? ` -r${values(value)}` : ""} -d ${quoted(description)}`;
    }),
    ...(argument && argument.kind !== "other" ? [`${start}${values(argument)}`] : []),
  ];
}

function values(value: Value): string {
  switch (value.kind) {
    case "words":
      return ` -f -a ${quoted(value.words.join(" "))}`;
    case "file":
      return " -F";
    case "folder":
      return " -f -a '(__fish_complete_directories)'";
    case "other":
      return " -f";
  }
}

const quoted = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
