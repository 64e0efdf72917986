-- Takes one token from a bucket, or says how long to wait for one.
--
-- A bucket is kept as the time at which it is full again, in microseconds of this server's clock (the generic cell rate
-- algorithm): that is one small value, and its key can expire when the bucket is full.
--
-- KEYS: bucket. ARGV: tokens a second, tokens that it holds. Answers the microseconds to wait; 0: taken.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local gap = 1000000 / ARGV[1]
local full = tonumber(redis.call('GET', KEYS[1]) or now)
if full < now then
  full = now
end
local wait = full + gap - (now + gap * ARGV[2])
if wait > 1 then -- less is what fractions and the caller's clock lack
  return math.ceil(wait)
end
full = full + gap
redis.call('SET', KEYS[1], string.format('%.3f', full), 'PX', math.ceil((full - now) / 1000) + 1)
return 0
