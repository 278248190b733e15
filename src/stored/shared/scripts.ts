import type { Answer, Script } from '../../redis/link.ts';
import type { Pulled, Push, Text, Version } from './entity.ts';
import { scriptOf } from '../../redis/link.ts';
import { TEXTS } from './entity.ts';

/**
 * Each id is a hash, in which each owner has its own fields: the version of the entity (v), the texts (f:NAME) and
 * their versions (t:NAME), the number of the last item (n), how many were removed (r) and the last heartbeat (b). The
 * items are in another hash.
 */
const PULL = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local owner, known, last, removed = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local function field(name) return redis.call('HGET', KEYS[1], owner .. ':' .. name) end
local version = field('v')
if not version then
  return { redis.call('EXISTS', KEYS[1]) == 1 and 'foreign' or 'none' }
end
local silence = now - tonumber(field('b') or now)
if version == known then return { 'same', silence } end
local texts = {}
for i = 5, #ARGV, 2 do
  local tag = field('t:' .. ARGV[i])
  if tag and tag ~= ARGV[i + 1] then
    for _, each in ipairs({ ARGV[i], tag, field('f:' .. ARGV[i]) }) do texts[#texts + 1] = each end
  end
end
local items, at, all = {}, KEYS[1] .. ':' .. owner, known == '' or (field('r') or '0') ~= removed
if all then
  items = redis.call('HGETALL', at)
else
  for number = last + 1, tonumber(field('n') or -1) do
    local text = redis.call('HGET', at, number)
    if text then items[#items + 1] = number; items[#items + 1] = text end
  end
end
return { 'news', silence, version, tonumber(field('n') or -1), tonumber(field('r') or 0), all and 1 or 0, texts, items }
`;

const PUSH = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local owner, expected, version, ttl, beats = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local function name(of) return owner .. ':' .. of end
if (redis.call('HGET', KEYS[1], name('v')) or '') ~= expected then return 'conflict' end
local at, items = 6, KEYS[1] .. ':' .. owner
local function next() at = at + 1; return ARGV[at - 1] end
redis.call('HSET', KEYS[1], name('v'), version)
if beats == '1' then redis.call('HSET', KEYS[1], name('b'), string.format('%.0f', now)) end
for i = 1, tonumber(next()) do
  local text = next()
  redis.call('HSET', KEYS[1], name('t:' .. text), version, name('f:' .. text), next())
end
local last = tonumber(redis.call('HGET', KEYS[1], name('n')) or -1)
for i = 1, tonumber(next()) do
  local number = next()
  redis.call('HSET', items, number, next())
  last = math.max(last, tonumber(number))
end
redis.call('HSET', KEYS[1], name('n'), last)
local removes = tonumber(next())
for i = 1, removes do redis.call('HDEL', items, next()) end
if removes > 0 then redis.call('HINCRBY', KEYS[1], name('r'), removes) end
if redis.call('PTTL', KEYS[1]) < ttl then redis.call('PEXPIRE', KEYS[1], ttl) end
if redis.call('EXISTS', items) == 1 then redis.call('PEXPIRE', items, ttl) end
return 'done'
`;

const REMOVE = `
local names = {}
for _, each in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(each, 1, #ARGV[1] + 1) == ARGV[1] .. ':' then names[#names + 1] = each end
end
for _, each in ipairs(names) do redis.call('HDEL', KEYS[1], each) end
redis.call('DEL', KEYS[1] .. ':' .. ARGV[1])
return #names
`;

export const PULL_SCRIPT: Script = scriptOf(PULL);
export const PUSH_SCRIPT: Script = scriptOf(PUSH);
export const REMOVE_SCRIPT: Script = scriptOf(REMOVE);

/** @param owner its hash */
export function pullArguments(owner: string, { all, texts, last, removed }: Version): string[] {
  const tags = TEXTS.flatMap((name) => [name, texts[name] ?? '']);
  return [owner, all, String(last), String(removed), ...tags];
}

/** Reads a reply of the script. @throws Error if it is not one */
export function pulledOf(answer: Answer, known: Version, nowMs: number): Pulled {
  if (!Array.isArray(answer)) throw new Error('Cannot read the answer of the server: it is not a list');
  const [kind, silence, version, last, removed, all, texts, items] = answer as readonly Answer[];
  if (kind === 'none' || kind === 'foreign') return { kind };
  const beatMs = nowMs - Number(silence);
  if (kind === 'same') return { kind, beatMs };
  const news: Partial<Record<Text, string>> = {};
  const tags: Partial<Record<Text, string>> = { ...known.texts };
  const values = texts as readonly string[];
  for (let at = 0; at + 2 < values.length; at += 3) {
    const name = values[at] as Text;
    tags[name] = values[at + 1]!;
    news[name] = values[at + 2]!;
  }
  const flat = items as readonly (string | number)[];
  const numbered: [number, string][] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) numbered.push([Number(flat[at]), String(flat[at + 1])]);
  return {
    kind: 'news',
    news: {
      version: { all: String(version), texts: tags, last: Number(last), removed: Number(removed) },
      texts: news,
      beatMs,
      items: numbered.sort(([one], [other]) => one - other),
      isAll: all === 1,
    },
  };
}

/** @param owner its hash */
export function pushArguments(owner: string, push: Push): string[] {
  const { expected, version, ttlMs, texts, beats, items, removes } = push;
  return [
    owner,
    expected,
    version,
    String(Math.max(1, Math.ceil(ttlMs))),
    beats ? '1' : '0',
    String(texts.length),
    ...texts.flat(),
    String(items.length),
    ...items.flatMap(([number, text]) => [String(number), text]),
    String(removes.length),
    ...removes.map(String),
  ];
}

/** The version of an entity after a change. */
export function versionAfter(known: Version, { version, texts, items, removes }: Push): Version {
  const tags = { ...known.texts, ...Object.fromEntries(texts.map(([name]) => [name, version])) };
  const last = items.reduce((most, [number]) => Math.max(most, number), known.last);
  return { all: version, texts: tags, last, removed: known.removed + removes.length };
}
