-- CHECKPOINT: save progress, renew the lease, announce what is about to be sent, learn what is asked. One round trip.
-- ARGV 1 id, 2 token, 3 cursor, 4 succeeded, 5 failed, 6 skipped, 7 duplicates, 8 codes JSON, 9 announce or '',
--   10 documents a second or '', 11 JSON {field of the metrics: by how much} or '', 12 line of the last document before the cursor,
--   then triples: kind of detail (failures, skipped, duplicates), position, JSON
-- Writes absolute values only, so that a repeated call changes nothing, what it adds to the metrics by ARGV 11 apart.
-- Returns {'lost'} or {'ok', sent_to, whether other lanes wait for a slot (0, 1), whether the worker shuts down (0, 1)}
redis.call('DEL', K.job(''))
local at = clock()
local job = load(ARGV[1])
if not job or job.token ~= ARGV[2] or job.deleted == '1' then return {'lost'} end
local before = processed(job)
for i, outcome in ipairs({'succeeded', 'failed', 'skipped', 'duplicates'}) do
  count('documents:' .. outcome, tonumber(ARGV[3 + i]) - tonumber(job[outcome]))
end
if ARGV[11] ~= '' then count_all(cjson.decode(ARGV[11])) end
job.cursor, job.succeeded, job.failed, job.skipped, job.duplicates = ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
job.codes, job.line = ARGV[8], ARGV[12]
local changed = {'cursor', 'line', 'succeeded', 'failed', 'skipped', 'duplicates', 'codes', 'sent_to', 'updated_at'}
if processed(job) > before then
  job.progress_at, job.attempts, job.refusals = int(at), '0', '0'
  job.waiting_for, job.waiting_since = '', ''
  for _, field in ipairs({'progress_at', 'attempts', 'refusals', 'waiting_for', 'waiting_since'}) do changed[#changed + 1] = field end
end
local announce = tonumber(ARGV[9])
if announce and S[job.state].announces and announce > tonumber(job.sent_to) and not reserve_units(job, job.state, at) then
  job.sent_to = ARGV[9]  -- a job that only settled until now, and was resumed, has reserved no more than that
  for _, field in ipairs({'quota_month', 'quota_reserved', 'quota_base'}) do changed[#changed + 1] = field end
end
if ARGV[10] ~= '' then
  job.rate_per_s = ARGV[10]
  changed[#changed + 1] = 'rate_per_s'
end
for i = 13, #ARGV, 3 do
  local key = K[ARGV[i]](job.id)
  if redis.call('HLEN', key) < C.details_kept then redis.call('HSET', key, ARGV[i + 1], ARGV[i + 2]) end
end
local step = math.max(1, math.ceil((tonumber(job.total) or 0) / C.marks_kept))
if tonumber(job.cursor) - tonumber(job.last_mark) >= step and job.cursor ~= job.total then  -- none changes behind the last
  job.last_mark = job.cursor
  changed[#changed + 1] = 'last_mark'
  redis.call('HSET', K.marks(job.id), job.cursor, cjson.encode({cursor = job.cursor, line = job.line,
    succeeded = job.succeeded, failed = job.failed, skipped = job.skipped, duplicates = job.duplicates, codes = job.codes}))
end
job.updated_at = int(at)
local flat = {}
for _, field in ipairs(changed) do
  flat[#flat + 1] = field
  flat[#flat + 1] = job[field]
end
redis.call('HSET', K.job(job.id), unpack(flat))
give_slot(job, at + C.lease_ms)
if redis.call('EXISTS', K.rq_job(job.id)) == 1 then redis.call('HSET', K.rq_job(job.id), 'meta', mirror(job)) end
local pulls = tonumber(redis.call('HGET', K.settings, 'pull_ceiling') or C.pull_ceiling) - redis.call('ZCARD', K.pull_slots)
local waiting = redis.call('ZCOUNT', K.ready('push'), '-inf', int(at))
if pulls > 0 or ceiling(job) == 'pull' then waiting = waiting + redis.call('ZCOUNT', K.ready('pull'), '-inf', int(at)) end
local shutdown = redis.call('HEXISTS', K.rq_worker(job.worker), 'shutdown_requested_date')
return {'ok', tonumber(job.sent_to), waiting > 0 and 1 or 0, shutdown}
