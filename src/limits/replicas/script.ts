import type { StoredMeter } from '../meter.ts';
import type { Answer } from '../../redis/link.ts';
import { scriptOf } from '../../redis/link.ts';

/** What one replica tells the server of one meter, and asks of it. */
export interface Told {
  readonly replica: string;
  /** Higher than of all that this replica has sent before: what arrives late is ignored. */
  readonly number: number;
  /** The number of what was used below: it is counted once, however often it is sent. */
  readonly batch: number;
  readonly used: readonly Amount[];
  /** By which the server is known to be the one that answered before; empty at first. */
  readonly epoch: string;
  /** What it is to be called when nothing is known of the meter. */
  readonly newEpoch: string;
  readonly most: number;
  /** What the replica has of the limit already, and keeps. */
  readonly keeps: number;
  /** What is needed beyond that, at least and at best. */
  readonly least: number;
  readonly needs: number;
  /** What it would like to have, so as to ask less often. */
  readonly wants: number;
  /** Where the time of now is counted; `undefined` for what is only held. */
  readonly now: Amount | undefined;
  /** What was used as the replica knew it before the server forgot. */
  readonly restores: readonly Amount[];
  /** By the server's clock, after which nobody waits for the answer: then nothing is done. `Infinity` where that clock is not known. */
  readonly deadlineMs: number;
  /** By how many replicas what nobody has is divided while the server is away; 1 where nothing is to be set apart. */
  readonly parts: number;
}

/** What was used in a slice of time. */
export interface Amount {
  readonly startMs: number;
  readonly endMs: number;
  /** When it no longer counts. */
  readonly forgetMs: number;
  readonly amount: number;
}

/** What the server says of a meter. */
export type Heard =
  /** What it knew is lost; or there was a later message; or nobody waits for an answer any more. */
  | { readonly kind: 'lost' | 'late' | 'overdue' }
  | {
      readonly kind: 'heard';
      readonly serverMs: number;
      readonly epoch: string;
      /** What the replica now has of the limit. */
      readonly share: number;
      /** What the others have of it. */
      readonly others: number;
      readonly slices: StoredMeter;
    };

/**
 * All steps are one: what was used is counted, shares of replicas that are gone become used, and the replica's own share is made
 * anew. Amounts stay numbers throughout, as texts of Lua have 14 digits.
 *
 * A replica that is silent may be cut off, and then uses its part of what nobody has: that part is set apart for it meanwhile. Where
 * nobody said anything, the server itself was away, and nobody is taken to be gone for that.
 */
const SYNC = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local me, number, batch, epoch, newEpoch = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5]
local most, keeps, least = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local needs, wants, expires = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local deadline, parts, silent = tonumber(ARGV[12]), tonumber(ARGV[13]), tonumber(ARGV[14])
if deadline >= 0 and now > deadline then return { 'overdue' } end
local at = 15
local function amounts()
  local list, count = {}, tonumber(ARGV[at])
  at = at + 1
  for i = 1, count do
    list[i] = { start = ARGV[at], stop = ARGV[at + 1], forget = tonumber(ARGV[at + 2]), amount = tonumber(ARGV[at + 3]) }
    at = at + 4
  end
  return list
end
local present, used, restores = amounts()[1], amounts(), amounts()

local raw = redis.call('GET', KEYS[1])
local meter = raw and cmsgpack.unpack(raw)
if epoch ~= '' and (not meter or meter.id ~= epoch) then return { 'lost' } end
meter = meter or { id = newEpoch, slices = {}, replicas = {}, at = now }
local away = now - (meter.at or now)
if away <= silent then away = 0 end
meter.at = now
local slices, replicas = meter.slices, meter.replicas
local mine = replicas[me] or { share = 0, number = 0, batch = 0, until_ = 0, heard = now, apart = 0 }
if number <= mine.number then return { 'late' } end
replicas[me] = mine

local function slice(of)
  local found = slices[of.start]
  if not found and (of.forget < 0 or of.forget > now) then
    found = { stop = of.stop, forget = of.forget, amount = 0, before = 0 }
    slices[of.start] = found
  end
  return found
end
for start, each in pairs(slices) do
  if each.forget >= 0 and each.forget <= now then slices[start] = nil end
end
for _, each in ipairs(restores) do
  local found = slice(each)
  if found then found.before = math.max(found.before, each.amount) end
end
local others = 0
for id, each in pairs(replicas) do
  each.until_ = each.until_ + away
  if each.share > 0 and each.until_ <= now then
    local into = present and slice(present)
    if into then
      into.amount = into.amount + each.share
      each.lost, each.lostIn = (each.lostIn == present.start and each.lost or 0) + each.share, present.start
    end
    each.share = 0
  end
  if id ~= me then
    if each.until_ + 86400000 < now then replicas[id] = nil else others = others + each.share end
    if each.until_ > now and now - (each.heard or now) > silent then others = others + (each.apart or 0) end
  end
end
if mine.lost then
  local found = slices[mine.lostIn]
  if found then found.amount = math.max(0, found.amount - mine.lost) end
  mine.lost, mine.lostIn = nil, nil
end
if batch > mine.batch then
  for _, each in ipairs(used) do
    local found = slice(each)
    if found then found.amount = math.max(-found.before, found.amount + each.amount) end
  end
  mine.batch = batch
end
mine.number = number

local taken, last = 0, now
local answer = {}
for start, each in pairs(slices) do
  taken = taken + each.amount + each.before
  if each.forget < 0 then last = math.huge else last = math.max(last, each.forget) end
  answer[#answer + 1] = start
  answer[#answer + 1] = each.stop
  answer[#answer + 1] = each.amount + each.before
end
local left = most - taken - others - keeps
local more = 0
if left > 0 and left >= least then
  more = math.min(left, math.max(needs, math.min(wants, math.floor(left / 20))))
end
mine.share = keeps + more
mine.until_, mine.heard = now + expires, now
mine.apart = mine.share > 0 and parts > 1 and math.ceil(math.max(0, left - more) / parts) or 0
local packed = cmsgpack.pack(meter)
if last == math.huge then
  redis.call('SET', KEYS[1], packed)
else
  redis.call('SET', KEYS[1], packed, 'PX', string.format('%.0f', math.ceil(last - now) + 3600000))
end
return { 'heard', now, meter.id, mine.share, others, answer }
`;

/** Says that a replica is there, and how many are. */
const PRESENCE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
redis.call('PEXPIRE', KEYS[1], 3600000)
if ARGV[3] == 'leaves' then redis.call('ZREM', KEYS[1], ARGV[1]) end
return { redis.call('ZCARD', KEYS[1]), now }
`;

export const SYNC_SCRIPT = scriptOf(SYNC);
export const PRESENCE_SCRIPT = scriptOf(PRESENCE);

/** How long the server waits for a replica, milliseconds. */
export interface Patience {
  /** Who says nothing for so long may be cut off: its part of what nobody has is set apart for it. */
  readonly silentMs: number;
  /** Who says nothing for so long is gone: what it had counts as used. */
  readonly expiresMs: number;
}

/** What is told, as the script reads it. */
export function argumentsOf(told: Told, { silentMs, expiresMs }: Patience): string[] {
  const { replica, number, batch, epoch, newEpoch, most, keeps, least, needs, wants } = told;
  const amounts = (list: readonly Amount[]) => [
    String(list.length),
    ...list.flatMap(({ startMs, endMs, forgetMs, amount }) => [
      String(startMs),
      timeText(endMs),
      timeText(forgetMs),
      String(amount),
    ]),
  ];
  return [
    replica,
    String(number),
    String(batch),
    epoch,
    newEpoch,
    ...[most, keeps, least, needs, wants, expiresMs].map(String),
    timeText(told.deadlineMs),
    String(told.parts),
    String(silentMs),
    ...amounts(told.now ? [told.now] : []),
    ...amounts(told.used),
    ...amounts(told.restores),
  ];
}

/** @throws Error where that is no answer of the script */
export function heardOf(answer: Answer): Heard {
  if (!Array.isArray(answer)) throw new Error('Cannot read the answer of the server: it is no list');
  const [kind, serverMs, epoch, share, others, slices] = answer as readonly Answer[];
  if (kind === 'lost' || kind === 'late' || kind === 'overdue') return { kind };
  const flat = slices as readonly (string | number)[];
  const read: [number, number | null, number][] = [];
  for (let at = 0; at + 2 < flat.length; at += 3) {
    const end = Number(flat[at + 1]);
    read.push([Number(flat[at]), end < 0 ? null : end, Number(flat[at + 2])]);
  }
  read.sort(([one], [other]) => one - other);
  return {
    kind: 'heard',
    serverMs: Number(serverMs),
    epoch: String(epoch),
    share: Number(share),
    others: Number(others),
    slices: read,
  };
}

/** The end of time is written as -1, which Lua reads as a number. */
function timeText(ms: number): string {
  return ms === Infinity ? '-1' : String(ms);
}
