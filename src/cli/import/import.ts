import { defineCommand } from 'citty';
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { loadConfig } from '../../config/load.ts';
import { nearest } from '../../config/suggest.ts';
import { parsedYaml, valuesOf } from '../../config/yaml.ts';
import { fileReason } from '../../logs/names.ts';
import { about } from '../argv/command.ts';
import { ExitError } from '../exit.ts';
import { print, printStderr } from '../output.ts';
import { printProblems } from '../problems-text.ts';
import { writeWhole } from '../write-whole.ts';
import type { FormatName } from './convert.ts';
import { converted, detectedFormat, FORMAT_NAMES, titleOf } from './convert.ts';

export default defineCommand({
  meta: about({
    name: 'import',
    description:
      'Convert the configuration of LiteLLM, Bifrost, agentgateway or the earlier Python proxy. Settings without a counterpart become comments, and no secrets are written',
    examples: [
      'llmproxy config import litellm.yaml > config.yaml',
      'llmproxy config import config.json --from bifrost --output config.yaml',
    ],
  }),
  args: {
    file: {
      type: 'positional',
      required: true,
      description: 'Configuration file of the other program, YAML or JSON',
    },
    from: {
      type: 'string',
      valueHint: 'program',
      values: FORMAT_NAMES,
      description: `Format of the file: ${FORMAT_NAMES.join(', ')} (default: detected from its content)`,
    },
    output: { type: 'string', alias: 'o', valueHint: 'file', description: 'File to write (default: stdout)' },
    force: { type: 'boolean', description: 'Overwrite an existing file' },
  },
  run({ args }) {
    const { file, output } = args;
    const text = textOf(file);
    const value = valueOf(text, file);
    const format = formatNamed(args.from) ?? detected(value, file);
    if (output !== undefined && existsSync(output) && !args.force)
      throw new ExitError(1, `Cannot write ${output}: it exists, use --force to replace it`);
    const result = converted({ text, value, file: basename(file) }, format);
    if (output === undefined) print(result.text);
    else writeWhole(output, result.text);
    const path = output ?? 'the result';
    const { config, problems } = loadConfig({ path, text: result.text, env: process.env });
    tellResult(result, { format, output, providers: config?.providers.length ?? 0 });
    if (config) return;
    printProblems(
      problems.filter(({ severity }) => severity === 'error'),
      path,
    );
    throw new ExitError(1, `${path} is not valid yet: correct the problems above`);
  },
});

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ExitError(1, `Cannot read ${path}: ${fileReason(cause)}`);
  }
}

function valueOf(text: string, path: string): unknown {
  const parsed = parsedYaml(text);
  const value = valuesOf(parsed);
  const { problems } = parsed;
  printProblems(problems, path);
  if (value === undefined || problems.length > 0)
    throw new ExitError(1, `Cannot import ${path}: it is not valid, see above`);
  if (value === null) throw new ExitError(1, `Cannot import ${path}: it is empty`);
  return value;
}

function formatNamed(name: string | undefined): FormatName | undefined {
  if (name === undefined) return undefined;
  const found = FORMAT_NAMES.find((each) => each === name.toLowerCase());
  if (found) return found;
  const [close] = nearest(name, FORMAT_NAMES, 1);
  const hint = close === undefined ? `expected ${FORMAT_NAMES.join(', ')}` : `did you mean ${close}?`;
  throw new ExitError(2, `Cannot use --from ${name}: ${hint}`);
}

function detected(value: unknown, path: string): FormatName {
  const format = detectedFormat(value);
  if (format) return format;
  throw new ExitError(
    1,
    `Cannot import ${path}: it looks like none of ${FORMAT_NAMES.join(', ')}; use --from`,
  );
}

/** Reports the result on stderr: stdout may be the file. */
function tellResult(
  { text, variables }: ReturnType<typeof converted>,
  { format, output, providers }: { format: FormatName; output: string | undefined; providers: number },
): void {
  const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;
  const left = text.match(/^# - /gm)?.length ?? 0;
  const lines = [
    `Imported ${counted(providers, 'provider')} from ${titleOf(format)}${output === undefined ? '' : ` into ${output}`}.`,
    ...(left > 0
      ? [`${counted(left, 'setting')} without a counterpart: comments at the top say which.`]
      : []),
    ...(variables.length > 0
      ? [`The file contained keys, which are not copied: put them into ${variables.join(', ')}.`]
      : []),
  ];
  printStderr(`${lines.join('\n')}\n`);
}
