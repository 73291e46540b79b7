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
local sequence = nextLine(epoch, ledger)
if not current then
  return { 'NO_ALIAS' }
end
if action == 'hold' and held then
  return { 'HELD', held }
end
if action == 'release' and not held then
  return { 'FREE' }
end

announce(channel, model, sequence)
local at = append(epoch, ledger, sequence, action, {
  'alias', alias,
  'version', current,
  'actor', actor,
  'reason', reason,
  'environment', environment,
})
if action == 'hold' then
  redis.call('HSET', holds, alias, sequence)
else
  redis.call('HDEL', holds, alias)
end
return { 'OK', sequence, at, current }
