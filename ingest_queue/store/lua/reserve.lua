-- RESERVE: an upload takes room in the budget of payload bytes before it writes a chunk.
-- ARGV 1 upload (id:version), 2 its stored bytes so far, this chunk's included, 3 the budget, 4 its time to live in ms
-- Returns 1, or 0 when the budget is full; the total is absolute, so that a repeated call changes nothing.
local before = tonumber(redis.call('HGET', K.uploads, ARGV[1]) or 0)
local wanted = tonumber(ARGV[2]) - before
if tonumber(redis.call('GET', K.bytes) or 0) + wanted > tonumber(ARGV[3]) then return 0 end
redis.call('HSET', K.uploads, ARGV[1], ARGV[2])
redis.call('INCRBY', K.bytes, int(wanted))
redis.call('ZADD', K.expires, int(clock() + tonumber(ARGV[4])), 'upload:' .. ARGV[1])
return 1
