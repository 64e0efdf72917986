-- Gives up a node: what it counted is uncounted by whoever sweeps next.
--
-- KEYS: nodes, nodes that have gone. ARGV: node.
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('SADD', KEYS[2], ARGV[1])
return 1
