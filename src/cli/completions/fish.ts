import type { Completes, Place } from './choices.ts';

/** The script for fish. */
export function fishScript(places: readonly Place[]): string {
  const below = places.filter(({ at }) => at !== '').map(({ at }) => quoted(at));
  const lines = places.flatMap(({ at, commands, flags, argument }) => {
    const begin = `complete -c llmproxy -n ${quoted(`__llmproxy_at ${quoted(at)}`)}`;
    return [
      ...commands.map(({ name, description }) => `${begin} -a ${name} -d ${quoted(description)}`),
      ...(commands.length > 0 || argument === 'nothing' ? [] : [`${begin}${completed(argument)}`]),
      ...flags.map(({ name, short, value, description }) => {
        const letter = short === undefined ? '' : ` -s ${short}`;
        return `${begin} -l ${name}${letter}${value === undefined ? '' : ` -r${completed(value)}`} -d ${quoted(description)}`;
      }),
    ];
  });
  return `# llmproxy completions fish
function __llmproxy_at
    set -l at ''
    for word in (commandline -opc)[2..-1]
        switch "$at $word"
            case ${below.join(' ')}
                set at "$at $word"
        end
    end
    test "$at" = "$argv[1]"
end
complete -c llmproxy -f
${lines.join('\n')}
`;
}

function completed(value: Completes): string {
  if (value === 'file') return ' -F';
  if (value === 'directory') return " -f -a '(__fish_complete_directories)'";
  if (value === 'nothing') return ' -f';
  return ` -f -a ${quoted(value.join(' '))}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`;
}
