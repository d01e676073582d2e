-- Gives slots to the heads of ready lanes, longest ready first, while the ceilings allow; at most `most` of them.
-- RQ's queue never holds more than workers can take: slots stay within the parents that ticked lately.
local function admit(most)
  local at = clock()
  local alive = redis.call('ZCOUNT', K.parents, int(at - C.alive_ms), '+inf')
  local ceilings = redis.call('HMGET', K.settings, 'running_ceiling', 'pull_ceiling')
  local running = tonumber(ceilings[1] or C.running_ceiling)
  local free = (running > 0 and math.min(running, alive) or alive) - redis.call('ZCARD', K.slots)
  local pulls = tonumber(ceilings[2] or C.pull_ceiling) - redis.call('ZCARD', K.pull_slots)
  local given = 0
  while free > 0 and given < most do
    local best, kind
    for _, one in ipairs({'push', 'pull'}) do
      local lane = (one == 'push' or pulls > 0)
        and redis.call('ZRANGEBYSCORE', K.ready(one), '-inf', int(at), 'WITHSCORES', 'LIMIT', 0, 1)
      if lane and lane[1] and (not best or tonumber(lane[2]) < tonumber(best[2])) then best, kind = lane, one end
    end
    if not best then break end
    local head = redis.call('ZRANGE', K.lane(best[1]), 0, 0)[1]
    local job = head and load(head)
    if job then
      give_slot(job, at + C.lease_ms)
      move(job, job.state)
      redis.call('RPUSH', K.rq_queue(C.queue), head)
      redis.call('SADD', K.rq_queues, K.rq_queue(C.queue))
      free, given, pulls = free - 1, given + 1, pulls - (kind == 'pull' and 1 or 0)
    else  -- a record that somebody else took out of Redis must not block its lane
      if head then redis.call('ZREM', K.lane(best[1]), head) end
      redis.call('ZREM', K.ready(kind), best[1])
      refresh_lane(best[1], at)
    end
  end
  return given
end
