-- TICK: a worker parent says that it lives; slots are given.
-- ARGV 1 parent
-- Returns up to 100 jobs whose claim or lease is over, each with its token ('' when it was never claimed).
redis.call('DEL', K.job(''))
local at = clock()
if redis.call('EXISTS', K.rq_suspended) == 1 then  -- `rq suspend`: a parent that takes nothing does not count
  redis.call('ZREM', K.parents, ARGV[1])
else
  redis.call('ZADD', K.parents, int(at), ARGV[1])
end
redis.call('ZREMRANGEBYSCORE', K.parents, '-inf', int(at - 12 * C.alive_ms))
admit(100)
local lost = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', K.slots, '-inf', '(' .. int(at), 'LIMIT', 0, 100)) do
  lost[#lost + 1] = id
  lost[#lost + 1] = redis.call('HGET', K.job(id), 'token') or ''
end
return lost
