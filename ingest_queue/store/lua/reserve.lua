-- RESERVE: an upload takes room in the budget of payload bytes before it writes a chunk.
-- ARGV 1 upload (id:name), 2 its stored bytes so far, this chunk's included, 3 the budget, 4 its time to live in ms,
--   5 this chunk's bytes
-- Returns 'ok', 'full' (the budget), or 'gone' (its time was over, its first chunks are not there any more).
-- The total is absolute, so that a repeated call changes nothing.
local before = redis.call('HGET', K.uploads, ARGV[1])
if not before and ARGV[2] ~= ARGV[5] then return 'gone' end
local wanted = tonumber(ARGV[2]) - tonumber(before or 0)
if tonumber(redis.call('GET', K.bytes) or 0) + wanted > tonumber(ARGV[3]) then return 'full' end
redis.call('HSET', K.uploads, ARGV[1], ARGV[2])
redis.call('INCRBY', K.bytes, int(wanted))
redis.call('ZADD', K.expires, int(clock() + tonumber(ARGV[4])), 'upload:' .. ARGV[1])
return 'ok'
