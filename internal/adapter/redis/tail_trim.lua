-- Removes from a tail what is older than its newest events. It is needed only where some were never written, so that
-- nobody removed the ones that they would have pushed out.
--
-- KEYS: tail. ARGV: the highest number that has to go.
local last = tonumber(ARGV[1])
local old = {}
for _, seq in ipairs(redis.call('HKEYS', KEYS[1])) do
  if tonumber(seq) <= last then
    old[#old + 1] = seq
  end
end
for from = 1, #old, 500 do
  redis.call('HDEL', KEYS[1], unpack(old, from, math.min(from + 499, #old)))
end
return #old
