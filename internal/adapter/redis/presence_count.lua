-- Counts a person in on a node or out again. Each node counts once, however many connections the person has there.
--
-- KEYS: nodes, people of this node, people on any node. ARGV: node, person, 1 for in and 0 for out, lease in ms.
-- Answers 1 where that made the person come or go.
if ARGV[3] == '1' then
  if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then -- a node that counts is known, and so will be missed
    local clock = redis.call('TIME')
    redis.call('ZADD', KEYS[1], clock[1] * 1000 + math.floor(clock[2] / 1000) + ARGV[4], ARGV[1])
  end
  if redis.call('SADD', KEYS[2], ARGV[2]) == 1 and redis.call('HINCRBY', KEYS[3], ARGV[2], 1) == 1 then
    return 1
  end
  return 0
end
if redis.call('SREM', KEYS[2], ARGV[2]) == 1 and redis.call('HINCRBY', KEYS[3], ARGV[2], -1) <= 0 then
  redis.call('HDEL', KEYS[3], ARGV[2])
  return 1
end
return 0
