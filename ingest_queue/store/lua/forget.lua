-- Takes a job, or what is known of an expired one, out of every key that names it, its slot apart.
local function leave_lists_and_rq(job)
  for _, scope in ipairs(scopes(job)) do redis.call('ZREM', K.list(scope, job.state), job.id) end
  for _, key in ipairs({K.rq_deferred, K.rq_finished, K.rq_failed, K.rq_canceled}) do redis.call('ZREM', key(C.queue), job.id) end
  redis.call('UNLINK', K.rq_job(job.id))
end

local function forget(job)
  leave_lists_and_rq(job)
  if job.lane then redis.call('ZREM', K.lane(job.lane), job.id) end
  for part, keys in pairs(PARTS) do
    redis.call('ZREM', K.expires, part .. ':' .. job.id)
    redis.call('UNLINK', unpack(keys(job)))
  end
  redis.call('HDEL', K.expiring, job.id)
  give_back_bytes(job.stored_bytes)
  charge_units(job)
end
