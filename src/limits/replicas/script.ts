import type { StoredMeter } from '../meter.ts';
import type { Answer } from '../../redis/link.ts';
import { scriptOf } from '../../redis/link.ts';

/** What a replica reports to the server about one meter, and requests from it. */
export interface Report {
  readonly replica: string;
  /** Increases with every message of this replica: late messages are ignored. */
  readonly number: number;
  /** The number of the usage report below: it is counted once, however often it is sent. */
  readonly batch: number;
  readonly used: readonly Amount[];
  /** Identifies the server's data as that of earlier replies; empty at first. */
  readonly epoch: string;
  /** The identifier to use if the server has no data for the meter. */
  readonly newEpoch: string;
  readonly most: number;
  /** The part of the limit that the replica already has, and keeps. */
  readonly keeps: number;
  /** The part of that which its requests have taken. */
  readonly taken: number;
  /** What it needs beyond that, at least and at best. */
  readonly least: number;
  readonly needs: number;
  /** What it would like to have in order to ask less often. */
  readonly wants: number;
  /** The current slice of time; `undefined` for limits on concurrency. */
  readonly now: Amount | undefined;
  /** The usage known to the replica from before the server lost its data. */
  readonly restores: readonly Amount[];
  /** The deadline by the server's clock, after which the message has no effect. `Infinity` if that clock is unknown. */
  readonly deadlineMs: number;
  /** For how long this replica has been connected: others that could not report during that time may not be lost. */
  readonly connectedMs: number;
  /** By how many replicas the unreserved rest is divided while the server is unavailable; 1 to set nothing apart. */
  readonly parts: number;
}

/** The usage in a slice of time. */
export interface Amount {
  readonly startMs: number;
  readonly endMs: number;
  /** When it expires. */
  readonly forgetMs: number;
  readonly amount: number;
}

/** The server's reply about a meter. */
export type Reply =
  /** The server has lost its data; or there was a later message; or the deadline has passed. */
  | { readonly kind: 'lost' | 'late' | 'overdue' }
  | {
      readonly kind: 'heard';
      readonly serverMs: number;
      readonly epoch: string;
      /** The replica's new part of the limit. */
      readonly share: number;
      /** The parts of the others. */
      readonly others: number;
      /** As much of that as requests of the others have not taken, as far as they have reported it. */
      readonly unused: number;
      readonly slices: StoredMeter;
    };

/**
 * One atomic step: usage is counted, shares of lost replicas become used, and the replica's own share is set. Amounts
 * stay numbers throughout, since Lua's conversion to text keeps only 14 digits.
 *
 * A silent replica may be cut off, and may then use its part of the unreserved rest: that part is set apart for it
 * meanwhile. It is lost only after a time in which it could have reported: the server itself may have been unavailable
 * before this replica was connected.
 */
const SYNC = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local me, number, batch, epoch, newEpoch = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5]
local most, keeps, least = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local needs, wants, expires = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local deadline, parts, silent = tonumber(ARGV[12]), tonumber(ARGV[13]), tonumber(ARGV[14])
local takes, connected = tonumber(ARGV[15]), tonumber(ARGV[16])
if deadline >= 0 and now > deadline then return { 'overdue' } end
local at = 17
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
meter = meter or { id = newEpoch, slices = {}, replicas = {} }
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
local others, unused = 0, 0
for id, each in pairs(replicas) do
  local heard = each.heard or now
  local isLost = math.max(heard, now - connected) + each.until_ - heard <= now
  if each.share > 0 and isLost then
    local into = present and slice(present)
    if into then
      into.amount = into.amount + each.share
      each.lost, each.lostIn = (each.lostIn == present.start and each.lost or 0) + each.share, present.start
    end
    each.share = 0
  end
  if id ~= me then
    if each.until_ + 86400000 < now then replicas[id] = nil else others = others + each.share end
    if not isLost and now - heard > silent then
      others = others + (each.apart or 0)
    else
      unused = unused + math.min(each.share, each.unused or 0)
    end
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
mine.share, mine.unused = keeps + more, math.max(0, keeps + more - takes)
mine.until_, mine.heard = now + expires, now
mine.apart = parts > 1 and math.ceil(math.max(0, left - more) / parts) or 0
local packed = cmsgpack.pack(meter)
if last == math.huge then
  redis.call('SET', KEYS[1], packed)
else
  redis.call('SET', KEYS[1], packed, 'PX', string.format('%.0f', math.ceil(last - now) + 3600000))
end
return { 'heard', now, meter.id, mine.share, others, unused, answer }
`;

/** Announces a replica, and counts all of them. */
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

/** How long the server waits for a silent replica, milliseconds. */
export interface Patience {
  /** After this silence a replica may be cut off: its part of the unreserved rest is set apart for it. */
  readonly silentMs: number;
  /** After this silence a replica is lost: its share counts as used. */
  readonly expiresMs: number;
}

/** The message in the form that the script reads. */
export function argumentsOf(report: Report, { silentMs, expiresMs }: Patience): string[] {
  const { replica, number, batch, epoch, newEpoch, most, keeps, taken, least, needs, wants } = report;
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
    timeText(report.deadlineMs),
    String(report.parts),
    String(silentMs),
    String(taken),
    String(report.connectedMs),
    ...amounts(report.now ? [report.now] : []),
    ...amounts(report.used),
    ...amounts(report.restores),
  ];
}

/** @throws Error when it is not a reply of the script */
export function replyOf(answer: Answer): Reply {
  if (!Array.isArray(answer)) throw new Error('Cannot read the answer of the server: it is not a list');
  const [kind, serverMs, epoch, share, others, unused, slices] = answer as readonly Answer[];
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
    unused: Number(unused),
    slices: read,
  };
}

/** Infinity is written as -1, which Lua reads as a number. */
function timeText(ms: number): string {
  return ms === Infinity ? '-1' : String(ms);
}
