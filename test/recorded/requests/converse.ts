import type { Json } from '../read/json.ts';
import type { Asking, Item, Role } from './asking.ts';
import { unknownKind, written } from '../answers/said.ts';
import { isObject, objectOf, objectsOf, parseJson, stringOf } from '../read/json.ts';
import { given } from './asking.ts';
import { propertiesOf } from './schema-names.ts';

/** Reads a request of Bedrock's Converse API. */
export function converseAsking(body: Json): Asking {
  const items = objectsOf(body.messages).flatMap(({ role, content }) =>
    objectsOf(content).flatMap((block) => itemOf(block, role === 'assistant' ? 'assistant' : 'user')),
  );
  const { tools, toolChoice } = objectOf(body.toolConfig);
  const config = objectOf(body.inferenceConfig);
  const more = objectOf(body.additionalModelRequestFields);
  const { thinking, reasoning_effort, reasoningConfig, output_config } = more;
  const structure = objectOf(objectOf(objectOf(body.outputConfig).textFormat).structure);
  const schema = stringOf(objectOf(structure.jsonSchema).schema);
  return {
    system: objectsOf(body.system)
      .map(({ text }) => stringOf(text) ?? '')
      .join('\n'),
    items,
    tools: objectsOf(tools).flatMap(({ toolSpec }) => {
      if (!isObject(toolSpec)) return [];
      const { name, description, inputSchema } = toolSpec;
      const properties = propertiesOf(objectOf(inputSchema).json);
      return [{ name: String(name), description: stringOf(description) ?? '', properties }];
    }),
    hosted: objectsOf(tools).flatMap((tool) =>
      Object.keys(tool).filter((key) => key !== 'toolSpec' && key !== 'cachePoint'),
    ),
    choice: choiceOf(objectOf(toolChoice)),
    parameters: given({
      max: config.maxTokens,
      temperature: config.temperature,
      topP: config.topP,
      stop: config.stopSequences,
      topK: more.top_k ?? objectOf(more.inferenceConfig).topK,
      effort: thinking ?? reasoning_effort ?? reasoningConfig ?? objectOf(output_config).effort,
      format: schema === undefined ? undefined : parseJson(schema),
      tier: objectOf(body.serviceTier).type,
    }),
  };
}

function itemOf(block: Json, role: Role): Item[] {
  const { text, toolUse, toolResult, image, document, audio } = block;
  if (typeof text === 'string') return [{ kind: 'text', role, text }];
  if (isObject(toolUse)) {
    const { toolUseId: id, name, input } = toolUse;
    return [{ kind: 'call', id: String(id), name: String(name), input: written(input ?? {}) }];
  }
  if (isObject(toolResult)) {
    const content = objectsOf(toolResult.content);
    const words = content.map((each) =>
      each.json === undefined ? (stringOf(each.text) ?? '') : written(each.json),
    );
    const media = content.filter((each) => isObject(each.image) || isObject(each.document));
    return [
      {
        kind: 'result',
        id: String(toolResult.toolUseId),
        text: words.join('\n'),
        failed: toolResult.status === 'error',
      },
      ...media.map((each) => mediumOf(each, 'tool')),
    ];
  }
  if (isObject(image) || isObject(document) || isObject(audio)) return [mediumOf(block, role)];
  if (isObject(block.reasoningContent) || isObject(block.cachePoint)) return [];
  return unknownKind('Converse', Object.keys(block));
}

function mediumOf({ image, document, audio }: Json, role: Role | 'tool'): Item {
  const { source } = objectOf(image ?? document ?? audio);
  const { bytes, text, s3Location } = objectOf(source);
  const kind = image ? 'image' : document ? 'file' : 'audio';
  return { kind, role, data: String(bytes ?? text ?? objectOf(s3Location).uri) };
}

function choiceOf(choice: Json): string | undefined {
  if (isObject(choice.tool)) return String(choice.tool.name);
  return choice.any ? 'required' : choice.auto ? 'auto' : undefined;
}
