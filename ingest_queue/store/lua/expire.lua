-- EXPIRE: ends what is due: uploads that broke off, payloads, details (then the row is soft-deleted), whole jobs.
-- ARGV 1 now in ms or '' for Redis' clock, 2 most members of one call
-- Returns how many members were due.
local at = ARGV[1] ~= '' and tonumber(ARGV[1]) or clock()
local due = redis.call('ZRANGEBYSCORE', K.expires, '-inf', int(at), 'LIMIT', 0, ARGV[2])
for _, member in ipairs(due) do
  local part, id = member:match('^(%a+):(.*)$')
  redis.call('ZREM', K.expires, member)
  if part == 'upload' then
    give_back_bytes(end_upload(id, 'expired'))
    redis.call('UNLINK', K.payload(id:match('^(.*):(.*)$')))
  else
    local text = redis.call('HGET', K.expiring, id)
    local job = text and cjson.decode(text)
    if job and part == 'job' then
      forget(job)
    elseif job then
      redis.call('UNLINK', unpack(PARTS[part](job)))
      if part == 'payload' then
        give_back_bytes(job.stored_bytes)
        job.stored_bytes = '0'
        redis.call('HSET', K.expiring, id, cjson.encode(job))
        if redis.call('EXISTS', K.job(id)) == 1 then redis.call('HSET', K.job(id), 'stored_bytes', '0') end
      elseif part == 'details' then
        leave_lists_and_rq(job)
        if redis.call('EXISTS', K.job(id)) == 1 then redis.call('HSET', K.job(id), 'deleted_at', int(at)) end
      end
    end
  end
end
return #due
