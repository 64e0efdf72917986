-- Uncounts people of nodes whose lease has ended. A script runs alone, so of all nodes that sweep at the same time exactly
-- one gets each person.
--
-- KEYS: nodes, nodes that have gone, people on any node. ARGV: what the names of nodes' people begin with, how many people
-- at most. Answers whether there is more to sweep, and those who are on no node any more.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
for _, node in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. now)) do
  redis.call('ZREM', KEYS[1], node)
  redis.call('SADD', KEYS[2], node)
end
local answer = { 0 }
local node = redis.call('SRANDMEMBER', KEYS[2])
if not node then
  return answer
end
local people = redis.call('SPOP', ARGV[1] .. node, ARGV[2])
for _, person in ipairs(people) do
  if redis.call('HINCRBY', KEYS[3], person, -1) <= 0 then
    redis.call('HDEL', KEYS[3], person)
    answer[#answer + 1] = person
  end
end
if #people == 0 then
  redis.call('SREM', KEYS[2], node)
end
answer[1] = redis.call('SCARD', KEYS[2])
return answer
