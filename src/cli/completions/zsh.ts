import type { Completes, Place } from './choices.ts';

/** The script for zsh: to be sourced, or a file `_llmproxy` in `$fpath`. */
export function zshScript(places: readonly Place[]): string {
  const below = places.filter(({ at }) => at !== '').map(({ at }) => quoted(at));
  const values = places.flatMap(({ at, flags }) =>
    flags.flatMap(({ name, short, value }) => {
      if (value === undefined) return [];
      const patterns = [`${at}:--${name}`, ...(short === undefined ? [] : [`${at}:-${short}`])];
      return [`    (${patterns.map(quoted).join('|')}) ${completed(value)}; return ;;`];
    }),
  );
  const flags = places.map(({ at, flags: own }) => {
    const found = own.map(({ name, description }) => described(`--${name}`, description));
    return `      (${quoted(at)}) found=(${found.join(' ')}) ;;`;
  });
  const rest = places.map(({ at, commands, argument }) => {
    if (commands.length === 0) return `    (${quoted(at)}) ${completed(argument)} ;;`;
    const found = commands.map(({ name, description }) => described(name, description));
    return `    (${quoted(at)}) found=(${found.join(' ')}); _describe command found ;;`;
  });
  return `#compdef llmproxy
# llmproxy completions zsh
_llmproxy() {
  local at='' prev=\${words[CURRENT - 1]} word
  local -a found
  for word in \${words[2, CURRENT - 1]}; do
    case "$at $word" in
      (${below.join('|')}) at="$at $word" ;;
    esac
  done
  if [[ \${words[CURRENT]} == --*=* ]]; then
    prev=\${words[CURRENT]%%=*}
    compset -P '*='
  fi
  case "$at:$prev" in
${values.join('\n')}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then
    case "$at" in
${flags.join('\n')}
    esac
    _describe -o flag found
    return
  fi
  case "$at" in
${rest.join('\n')}
  esac
}
if [[ \${funcstack[1]} == _llmproxy ]]; then _llmproxy "$@"; else compdef _llmproxy llmproxy; fi
`;
}

function completed(value: Completes): string {
  if (value === 'file') return '_files';
  if (value === 'directory') return '_files -/';
  if (value === 'nothing') return "_message 'a value'";
  return `found=(${value.map(quoted).join(' ')}); _describe value found`;
}

function described(name: string, description: string): string {
  return quoted(`${name.replaceAll(':', '\\:')}:${description}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
