-- Takes a version out of reach, for good: it can be neither promoted nor loaded. Its record and its bytes stay.
-- KEYS  aliases, canaries, versions, ensembles, version, epoch, ledger
-- ARGV  channel, model, version, actor, reason ('' = none), environment ('' = none)
-- Reply {'OK', sequence, microseconds} | {'SAME'} (is retired already) | {'NO_VERSION'} | {'IN_USE', alias} (leads to it)
--       | {'MEMBER', ensemble} (is made of it, and not retired)
-- Event <model> <sequence>
local aliases, canaries, versions, ensembles, record, epoch, ledger = unpack(KEYS)
local channel, model, version, actor, reason, environment = unpack(ARGV)

-- Reads come first: a key that another program has given another type stops the script before it has written anything.
local pointers = redis.call('HGETALL', aliases)
local shares = redis.call('HGETALL', canaries)
local made = redis.call('HGETALL', ensembles)
local known = redis.call('ZSCORE', versions, version)
local retired = redis.call('HGET', record, 'retiredAt')
local sequence = nextLine(epoch, ledger)
if not known then
  return { 'NO_VERSION' }
end
if retired then
  return { 'SAME' }
end
for i = 1, #pointers, 2 do
  if pointers[i + 1] == version then
    return { 'IN_USE', pointers[i] }
  end
end
for i = 1, #shares, 2 do
  if string.sub(shares[i + 1], 1, 64) == version then
    return { 'IN_USE', shares[i] }
  end
end
-- Another version's record has the same key but for the digest, and so the same hash tag.
local records = string.sub(record, 1, -65)
for i = 1, #made, 2 do
  if string.find(made[i + 1], version, 1, true) and not redis.call('HGET', records .. made[i], 'retiredAt') then
    return { 'MEMBER', made[i] }
  end
end

announce(channel, model, sequence)
local at = append(epoch, ledger, sequence, 'retire', {
  'version', version,
  'actor', actor,
  'reason', reason,
  'environment', environment,
})
redis.call('HSET', record, 'retiredAt', at)
return { 'OK', sequence, at }
