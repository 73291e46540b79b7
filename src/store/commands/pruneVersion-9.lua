-- Removes a version's bytes, record, verdicts and place, unless it is among the newest, an alias ever led to it or an
-- ensemble is made of it.
-- KEYS  aliases, canaries, versions, ensembles, version, blob, verdicts, epoch, ledger
-- ARGV  channel, model, version, how many of the newest stay, actor, reason ('' = none), environment ('' = none)
-- Reply {'OK', sequence, microseconds} | {'NO_VERSION'} | {'KEPT', 'newest', 'promoted', 'in use' or 'member'}
-- Event <model> <sequence>
local aliases, canaries, versions, ensembles, record, blob, verdicts, epoch, ledger = unpack(KEYS)
local channel, model, version, keep, actor, reason, environment = unpack(ARGV)

-- Reads come first: a key that another program has given another type stops the script before it has written anything.
local pointers = redis.call('HVALS', aliases)
local shares = redis.call('HVALS', canaries)
local made = redis.call('HVALS', ensembles)
local rank = redis.call('ZREVRANK', versions, version)
local promoted = redis.call('HGET', record, 'promotedAt')
local judged = redis.call('HKEYS', verdicts)
local sequence = nextLine(epoch, ledger)
redis.call('HLEN', blob)
if not rank then
  return { 'NO_VERSION' }
end
if rank < tonumber(keep) then
  return { 'KEPT', 'newest' }
end
if promoted then
  return { 'KEPT', 'promoted' }
end
for _, pointer in ipairs(pointers) do
  if pointer == version then
    return { 'KEPT', 'in use' }
  end
end
for _, share in ipairs(shares) do
  if string.sub(share, 1, 64) == version then
    return { 'KEPT', 'in use' }
  end
end
for _, members in ipairs(made) do
  if string.find(members, version, 1, true) then
    return { 'KEPT', 'member' }
  end
end

announce(channel, model, sequence)
local at = append(epoch, ledger, sequence, 'prune', {
  'version', version,
  'actor', actor,
  'reason', reason,
  'environment', environment,
})
redis.call('ZREM', versions, version)
redis.call('HDEL', ensembles, version)
redis.call('DEL', record)
redis.call('UNLINK', blob)
for _, field in ipairs(judged) do
  if string.sub(field, 1, 64) == version then
    redis.call('HDEL', verdicts, field)
  end
end
return { 'OK', sequence, at }
