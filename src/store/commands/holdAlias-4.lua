-- Holds an alias where it is, or releases it: scripts that would change a held alias answer HELD.
-- KEYS  aliases, holds, epoch, ledger
-- ARGV  channel, model, alias, 'hold' or 'release', actor, reason ('' = none), environment ('' = none)
-- Reply {'OK', sequence, microseconds, version} | {'NO_ALIAS'} | {'HELD', sequence} (already) | {'FREE'} (nobody holds it)
-- Event <model> <sequence>
local aliases, holds, epoch, ledger = unpack(KEYS)
local channel, model, alias, action, actor, reason, environment = unpack(ARGV)

-- Reads come first: a key that another program has given another type stops the script before it has written anything.
local current = redis.call('HGET', aliases, alias)
local held = redis.call('HGET', holds, alias)
local sequence = tonumber(redis.call('GET', epoch) or '0') + 1
redis.call('XLEN', ledger)
if not current then
  return { 'NO_ALIAS' }
end
if action == 'hold' and held then
  return { 'HELD', held }
end
if action == 'release' and not held then
  return { 'FREE' }
end

local time = redis.call('TIME')
local at = time[1] .. string.format('%06d', time[2])
local line = { 'action', action, 'at', at, 'alias', alias, 'version', current, 'actor', actor }
local function add(name, value)
  if value ~= '' then
    line[#line + 1] = name
    line[#line + 1] = value
  end
end
add('reason', reason)
add('environment', environment)
-- Before the first write: a user who may not publish, or not on this channel, stops the script before it has written.
redis.call('PUBLISH', channel, model .. ' ' .. sequence)
redis.call('XADD', ledger, sequence .. '-0', unpack(line))
redis.call('SET', epoch, sequence)
if action == 'hold' then
  redis.call('HSET', holds, alias, sequence)
else
  redis.call('HDEL', holds, alias)
end
return { 'OK', sequence, at, current }
