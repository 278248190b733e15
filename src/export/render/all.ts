/** All formats by name. */
import type { FormatName } from '../../config/export/options.ts';
import type { Format } from './format.ts';
import { axolotlFormat } from './axolotl.ts';
import { alpacaFormat } from './alpaca.ts';
import { anthropicFormat } from './anthropic.ts';
import { bedrockFormat } from './bedrock.ts';
import { geminiFormat } from './gemini.ts';
import { fireworksFormat, togetherFormat } from './hosts.ts';
import { sharegptFormat } from './sharegpt.ts';
import { mistralFormat } from './mistral.ts';
import { openaiDpoFormat } from './openai-dpo.ts';
import { openaiFormat } from './openai.ts';
import { rftFormat } from './rft.ts';
import { textFormat } from './text.ts';
import { ktoFormat, trlDpoFormat, trlFormat, trlPcFormat } from './trl.ts';

export const FORMATS: Readonly<Record<FormatName, Format>> = {
  openai: openaiFormat,
  trl: trlFormat,
  'trl-pc': trlPcFormat,
  'openai-dpo': openaiDpoFormat,
  'trl-dpo': trlDpoFormat,
  kto: ktoFormat,
  rft: rftFormat,
  together: togetherFormat,
  fireworks: fireworksFormat,
  mistral: mistralFormat,
  gemini: geminiFormat,
  bedrock: bedrockFormat,
  anthropic: anthropicFormat,
  sharegpt: sharegptFormat,
  alpaca: alpacaFormat,
  axolotl: axolotlFormat,
  text: textFormat,
};
