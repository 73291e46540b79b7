-- Reads what a server must know of a model to route calls, at one moment.
-- KEYS  aliases, epoch, contract
-- Reply {epoch, contract fingerprint ('' = none), alias, version, alias, version, ...}
-- Event none
local epoch = redis.call('GET', KEYS[2]) or '0'
local fingerprint = redis.call('HGET', KEYS[3], 'fingerprint') or ''
local reply = { epoch, fingerprint }
for _, value in ipairs(redis.call('HGETALL', KEYS[1])) do
  reply[#reply + 1] = value
end
return reply
