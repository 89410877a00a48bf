import { type CommandNode, commandPaths, type OptionNode, type Value, valuedOptions } from "./tree.ts";

/** A script for zsh: sourced after compinit, or kept as `_<program>` in a folder of `fpath`. */
export function zshScript(program: string, nodes: readonly CommandNode[]): string {
  // As the file is called in a folder of fpath: so zsh finds it there.
  const name = `_${program}`;
  const valued = valuedOptions(nodes);
  return `#compdef ${program}
# zsh completion of ${program}; put \`source <(${program} completion zsh)\` into ~/.zshrc, after compinit
${name}() {
  local cur=\${words[CURRENT]} prev=\${words[CURRENT-1]} node="" i
  local -a found
  for ((i = 2; i < CURRENT; i++)); do
    case "$node:\${words[i]}" in
      ${valued.flatMap(({ keys }) => keys).join("|")}) ((i++)); continue ;;
    esac
    case "$node/\${words[i]}" in
      ${commandPaths(nodes).join("|")}) node+="/\${words[i]}" ;;
    esac
  done
  case "$node:$prev" in
${valued.map(({ keys, value }) => `    ${keys.join("|")}) ${reply(value)}; return ;;`).join("\n")}
  esac
  case "$node" in
${nodes.map((node) => `    ${node.path || "''"})\n${nodeReply(node)} ;;`).join("\n")}
  esac
}
if [[ $funcstack[1] == ${name} ]]; then ${name} "$@"; else compdef ${name} ${program}; fi
`;
}

function nodeReply({ commands, options, argument }: CommandNode): string {
  const lines = [
    "      if [[ $cur == -* ]]; then",
    `        found=(${options.flatMap(described).join(" ")})`,
    "        _describe -o option found",
    "      else",
  ];
  if (commands.length > 0) {
    lines.push(
      `        found=(${commands.map(({ name, description }) => entry(name, description)).join(" ")})`,
      "        _describe command found",
    );
  }
  lines.push(`        ${argument ? reply(argument) : ":"}`, "      fi");
  return lines.join("\n");
}

const described = ({ flags, description }: OptionNode) =>
  flags.filter((flag) => flag.startsWith("--")).map((flag) => entry(flag, description));

/** `name:description`, quoted; a colon ends the name. */
const entry = (name: string, description: string) =>
  `'${name}:${description.replaceAll("'", "'\\''").replaceAll(":", "\\:")}'`;

function reply(value: Value): string {
  switch (value.kind) {
    case "words":
      return `compadd -- ${value.words.join(" ")}`;
    case "file":
      return "_files";
    case "folder":
      return "_files -/";
    case "other":
      return ":";
  }
}
