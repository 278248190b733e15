/** Explains how to use the files of an export. */
import type { FormatName } from '../../config/export/options.ts';

/** The files of an export. */
export interface Written {
  readonly path: string;
  readonly directory: boolean;
  readonly parquet: boolean;
  /** Whether there is a split for validation. */
  readonly validated: boolean;
}

/** How `datasets` loads the files. */
function load({ path, directory, parquet }: Written): string {
  const file = parquet ? 'parquet' : 'json';
  return directory
    ? `load_dataset(${JSON.stringify(path)})`
    : `load_dataset("${file}", data_files=${JSON.stringify(path)})`;
}

function trl(trainer: string): (written: Written) => string {
  return (written) =>
    written.directory
      ? `trl ${trainer} --model_name_or_path MODEL --dataset_name ${quoted(written.path)}${written.validated ? ' --eval_strategy epoch' : ''} --output_dir OUT`
      : `in Python: ${load(written)}`;
}

function upload(place: string): (written: Written) => string {
  return ({ path }) => `upload ${path} to ${place}`;
}

const factory = (written: Written) =>
  written.directory
    ? `llamafactory-cli train with dataset_dir: ${written.path} and dataset: llmproxy`
    : `give --output a directory for LLaMA-Factory's dataset_info.json, or in Python: ${load(written)}`;

const STEPS: Readonly<Record<FormatName, (written: Written) => string>> = {
  openai: upload('OpenAI as a file of purpose "fine-tune", or to a host that takes the same'),
  'openai-dpo': upload('OpenAI as a file of purpose "fine-tune", for the method "dpo"'),
  rft: upload('OpenAI or Bedrock for reinforcement fine-tuning'),
  trl: trl('sft'),
  'trl-pc': trl('sft'),
  'trl-dpo': trl('dpo'),
  kto: trl('kto'),
  together: ({ path }) => `together files upload ${quoted(path)}`,
  fireworks: ({ path }) => `firectl create dataset NAME ${quoted(path)}`,
  mistral: upload('Mistral as a file of purpose "fine-tune"'),
  gemini: upload('Cloud Storage, and name it in a tuning job of Vertex AI'),
  bedrock: upload('S3, and name it in a customization job of Bedrock'),
  anthropic: upload('S3, and name it in a customization job of Bedrock'),
  sharegpt: factory,
  alpaca: factory,
  axolotl: ({ path }) =>
    `axolotl train with datasets: [{ path: ${path}, ds_type: json, type: chat_template, message_field_training: train }]`,
  text: (written) => `in Python: ${load(written)}`,
};

/** A command, or another suggestion. */
export function nextStep(format: FormatName, written: Written): string {
  return STEPS[format](written);
}

function quoted(path: string): string {
  return /^[\w./:@+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
