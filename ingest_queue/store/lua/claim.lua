-- CLAIM: a worker that popped a job takes it, if the job still has its slot and nobody holds it.
-- ARGV 1 id, 2 token, 3 worker, 4 JSON {state: to}
-- Returns {'ok', record...}; {'over_quota', limit, used, wanted, month, record...}, when the job is claimed and may send
-- nothing, only fail; or {'refused'}, and RQ forgets this execution.
redis.call('DEL', K.job(''))
local id, token, worker = ARGV[1], ARGV[2], ARGV[3]
local at = clock()
local job = load(id)
redis.call('LREM', K.rq_intermediate(C.queue), 1, id)

local function reply(short)
  if not short then return {'ok', unpack(flatten(job))} end
  return {'over_quota', short[1], short[2], short[3], short[4], unpack(flatten(job))}
end

if job and job.token == token and job.deleted ~= '1' then  -- the first reply was lost
  local short = reserve_units(job, job.state, at)
  save(job)
  return reply(short)
end
local to = job and cjson.decode(ARGV[4])[job.state]
if not to or job.deleted == '1' or job.token ~= '' or redis.call('HGET', K.holders, job.lane) ~= id then
  drop_execution(id, token, worker)
  return {'refused'}
end
job.token, job.worker, job.run = token, worker, int(tonumber(job.run) + 1)
if job.started_at == '' then job.started_at = int(at) end
if job.progress_at == '' then job.progress_at = int(at) end
job.not_before = ''
give_slot(job, at + C.lease_ms)
local short = reserve_units(job, to, at)
move(job, to)
return reply(short)
