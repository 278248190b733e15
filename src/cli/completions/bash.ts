import type { Completes, Place } from './choices.ts';

/** The script for bash, from 3.2 on, which macOS has. */
export function bashScript(places: readonly Place[]): string {
  const below = places.filter(({ at }) => at !== '').map(({ at }) => `'${at}'`);
  const values = places.flatMap(({ at, flags }) =>
    flags.flatMap(({ name, short, value }) => {
      if (value === undefined) return [];
      const patterns = [`'${at}:--${name}'`, ...(short === undefined ? [] : [`'${at}:-${short}'`])];
      return [`    ${patterns.join(' | ')}) ${completed(value)} return ;;`];
    }),
  );
  const flags = places.map(({ at, flags: own }) => {
    return `      '${at}') words='${own.map(({ name }) => `--${name}`).join(' ')}' ;;`;
  });
  const rest = places.map(({ at, commands, argument }) => {
    const words = commands.map(({ name }) => name);
    return `    '${at}') ${completed(words.length > 0 ? words : argument)} ;;`;
  });
  return `# llmproxy completions bash
_llmproxy() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} at='' words='' i
  COMPREPLY=()
  # Bash cuts words at equals signs.
  if [[ $cur == '=' ]]; then cur=''; elif [[ $prev == '=' ]]; then prev=\${COMP_WORDS[COMP_CWORD - 2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
      ${below.join(' | ')}) at="$at \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$at:$prev" in
${values.join('\n')}
  esac
  if [[ $cur == -* ]]; then
    case "$at" in
${flags.join('\n')}
    esac
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    return
  fi
  case "$at" in
${rest.join('\n')}
  esac
}
_llmproxy_paths() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen "$1" -- "$2"))
}
complete -F _llmproxy llmproxy
`;
}

function completed(value: Completes): string {
  if (value === 'file') return '_llmproxy_paths -f "$cur";';
  if (value === 'directory') return '_llmproxy_paths -d "$cur";';
  if (value === 'nothing') return ':;';
  return `COMPREPLY=($(compgen -W '${value.join(' ')}' -- "$cur"));`;
}
