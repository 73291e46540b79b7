-- Puts a whole model into a store that has nothing of it, as another store had it, and adds one ledger line.
-- KEYS  epoch, ledger, staged ledger, then those that the steps name
-- ARGV  channel, model, lines of the staged ledger, actor, reason ('' = none), environment ('' = none), evidence (JSON),
--       then for each step: its command, number of arguments, the arguments; a key is told by its place in KEYS.
--       Commands: HSET, ZADD, RPUSH, SET, and MOVE (staged hash, its place, number of its fields)
-- Reply {'OK', sequence} | {'THERE'} (the model has a ledger already) | {'INCOMPLETE', fields or lines found}
-- Event <model> <sequence>
local epoch, ledger, stagedLedger = KEYS[1], KEYS[2], KEYS[3]
local channel, model, lines, actor, reason, environment, evidence = unpack(ARGV, 1, 7)

local function steps(act)
  local at = 8
  while at <= #ARGV do
    local count = tonumber(ARGV[at + 1])
    local refused = act(ARGV[at], unpack(ARGV, at + 2, at + 1 + count))
    if refused then
      return refused
    end
    at = at + 2 + count
  end
end

-- Reads come first: a key that another program has given another type stops the script before it has written anything.
if redis.call('EXISTS', epoch, ledger) > 0 then
  return { 'THERE' }
end
local staged = redis.call('XLEN', stagedLedger)
if staged ~= tonumber(lines) then
  return { 'INCOMPLETE', staged }
end
local incomplete = steps(function(command, key, _, fields)
  if command ~= 'MOVE' then
    return nil
  end
  local found = redis.call('HLEN', KEYS[tonumber(key)])
  return found ~= tonumber(fields) and { 'INCOMPLETE', found } or nil
end)
if incomplete then
  return incomplete
end

local sequence = staged + 1
announce(channel, model, sequence)

-- What a store without a ledger has at these keys, nobody can see.
steps(function(command, key)
  if command ~= 'MOVE' then
    redis.call('UNLINK', KEYS[tonumber(key)])
  end
end)

redis.call('RENAME', stagedLedger, ledger)
redis.call('PERSIST', ledger)
append(epoch, ledger, sequence, 'import', {
  'actor', actor,
  'evidenceJson', evidence,
  'reason', reason,
  'environment', environment,
})
steps(function(command, key, ...)
  if command == 'MOVE' then
    local target = KEYS[tonumber((...))]
    redis.call('RENAME', KEYS[tonumber(key)], target)
    redis.call('PERSIST', target)
  else
    redis.call(command, KEYS[tonumber(key)], ...)
  end
end)
return { 'OK', sequence }
