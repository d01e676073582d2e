-- DELETE: the job leaves every list at once. A run that holds it keeps the slot until it answers or its lease ends,
-- so that nothing else starts on the lane while its last requests are out; it may send nothing more.
-- ARGV 1 id, 2 JSON {state: true}: in which states it may happen
-- Returns 'ok', 'missing', or 'illegal' in another state
redis.call('DEL', K.job(''))
local at = clock()
local job = load(ARGV[1])
if not job or job.deleted == '1' then return 'missing' end
if not cjson.decode(ARGV[2])[job.state] then return 'illegal' end
forget(job)
if job.token ~= '' then
  redis.call('HSET', K.job(job.id), 'id', job.id, 'lane', job.lane, 'kind', job.kind, 'token', job.token, 'worker', job.worker, 'deleted', '1')
  redis.call('PEXPIRE', K.job(job.id), 86400000)
else
  free_slot(job)
end
refresh_lane(job.lane, at)
admit(C.at_once)
return 'ok'
