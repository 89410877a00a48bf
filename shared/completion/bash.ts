import { type CommandNode, commandPaths, functionName, type Value, valuedOptions } from "./tree.ts";

/** A script for bash 4.4 and newer; it runs nothing but bash's own words, so that a tab is instant. */
export function bashScript(program: string, nodes: readonly CommandNode[]): string {
  const name = functionName(program);
  const valued = valuedOptions(nodes);
  return `# bash completion of ${program}; put \`source <(${program} completion bash)\` into ~/.bashrc
${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} node="" words="" i
  # Bash splits --option=value into three words.
  if [[ $cur == "=" ]]; then cur=""; elif [[ $prev == "=" ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$node:\${COMP_WORDS[i]}" in
      ${valued.flatMap(({ keys }) => keys).join("|")}) ((i++)); continue ;;
    esac
    case "$node/\${COMP_WORDS[i]}" in
      ${commandPaths(nodes).join("|")}) node+="/\${COMP_WORDS[i]}" ;;
    esac
  done
  case "$node:$prev" in
${valued.map(({ keys, value }) => `    ${keys.join("|")}) ${reply(value)}; return ;;`).join("\n")}
  esac
  case "$node" in
${nodes.map((node) => `    ${node.path || '""'}) ${nodeReply(node)} ;;`).join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F ${name} ${program}
`;
}

function nodeReply({ commands, options, argument }: CommandNode): string {
  const flags = options.flatMap((option) => option.flags.filter((flag) => flag.startsWith("--")));
  const names = commands.map(({ name }) => name);
  const words = [...names, ...(argument?.kind === "words" ? argument.words : [])];
  const open = `if [[ $cur == -* ]]; then words="${flags.join(" ")}"`;
  if (argument?.kind === "file" || argument?.kind === "folder")
    return `${open}; else ${reply(argument)}; return; fi`;
  return `${open}; else words="${words.join(" ")}"; fi`;
}

function reply(value: Value): string {
  switch (value.kind) {
    case "words":
      return `COMPREPLY=($(compgen -W "${value.words.join(" ")}" -- "$cur"))`;
    case "file":
      return 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur")';
    case "folder":
      return 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$cur")';
    case "other":
      return ":";
  }
}
