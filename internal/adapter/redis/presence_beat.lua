-- Prolongs a node's lease. Answers 0 where the node was not known: then nobody of its people is counted any more.
--
-- KEYS: nodes. ARGV: node, lease in ms.
local known = redis.call('ZSCORE', KEYS[1], ARGV[1]) and 1 or 0
if known == 1 then
  local clock = redis.call('TIME')
  redis.call('ZADD', KEYS[1], clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[2], ARGV[1])
end
return known
