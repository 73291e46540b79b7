-- Reads what a server must know of a model to route calls, at one moment.
-- KEYS  aliases, canaries, holds, epoch, contract
-- Reply {epoch, contract fingerprint ('' = none), and for each alias: alias, version, canary ('' or 'version weight'),
--       sequence of the line that holds it ('' = none)}
-- Event none
local aliases, canaries, holds, epoch, inForce = unpack(KEYS)
local reply = { redis.call('GET', epoch) or '0', redis.call('HGET', inForce, 'fingerprint') or '' }
local pointers = redis.call('HGETALL', aliases)
for i = 1, #pointers, 2 do
  reply[#reply + 1] = pointers[i]
  reply[#reply + 1] = pointers[i + 1]
  reply[#reply + 1] = redis.call('HGET', canaries, pointers[i]) or ''
  reply[#reply + 1] = redis.call('HGET', holds, pointers[i]) or ''
end
return reply
