-- Put before every script, after K (keys), S (states) and C (settings). Here stands the only code that writes a
-- job's state, lists, lane, slot, RQ job and TTLs. A `job` is the record's hash as a table of texts.

local function clock()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000), t[1] .. string.format('%06d', tonumber(t[2]))
end

local function int(number)
  return string.format('%.0f', number)
end

-- Metrics are counted in the call in which a thing truly happens, and read by no script.
local function count(field, by)
  if by ~= 0 then redis.call('HINCRBY', K.metrics, field, int(by)) end
end

local function count_all(counts)
  for field, by in pairs(counts) do count(field, by) end
end

local function load(id)
  local flat = redis.call('HGETALL', K.job(id))
  if #flat == 0 then return nil end
  local job = {}
  for i = 1, #flat, 2 do job[flat[i]] = flat[i + 1] end
  return job
end

local function flatten(fields)
  local flat = {}
  for name, value in pairs(fields) do
    flat[#flat + 1] = name
    flat[#flat + 1] = value
  end
  return flat
end

local function save(job)
  redis.call('DEL', K.job(job.id))
  redis.call('HSET', K.job(job.id), unpack(flatten(job)))
end

local function scopes(job)
  return {'all', 'account:' .. job.account, 'index:' .. job.account .. '/' .. job.index, 'queue:' .. job.queue}
end

local function ceiling(job)
  return job.kind == 'pull' and 'pull' or 'push'
end

local function processed(job)
  return tonumber(job.succeeded) + tonumber(job.failed) + tonumber(job.skipped)
end

local function settled(job)
  return tonumber(job.sent_to) <= processed(job)
end

local function has_slot(job)
  return redis.call('ZSCORE', K.slots, job.id) ~= false
end

-- RQ's times are ISO 8601 with microseconds; days to civil date after Howard Hinnant's algorithm
local function iso(ms)
  local days, rest = math.floor(ms / 86400000), ms % 86400000
  local z = days + 719468
  local era = math.floor(z / 146097)
  local doe = z - era * 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local mp = math.floor((5 * doy + 2) / 153)
  local day = doy - math.floor((153 * mp + 2) / 5) + 1
  local month = mp < 10 and mp + 3 or mp - 9
  local year = yoe + era * 400 + (month <= 2 and 1 or 0)
  return string.format('%04d-%02d-%02dT%02d:%02d:%02d.%06dZ', year, month, day, math.floor(rest / 3600000),
    math.floor(rest / 60000) % 60, math.floor(rest / 1000) % 60, (rest % 1000) * 1000)
end

local function iso_or_empty(text)
  return text and text ~= '' and iso(tonumber(text)) or ''
end

-- What RQ's tools show of a job. It is written, never read.
local function mirror(job)
  return cjson.encode({
    status = job.state, cursor = tonumber(job.cursor), round = job.round, run = tonumber(job.run), index = job.index,
    account = job.account, kind = job.kind, initiator = job.initiator,
    counts = {total = tonumber(job.total), succeeded = tonumber(job.succeeded), failed = tonumber(job.failed),
      skipped = tonumber(job.skipped), duplicates = tonumber(job.duplicates), processed = processed(job)},
    error = job.error ~= '' and cjson.decode(job.error) or nil,
  })
end

local function rq_status(job)
  if S[job.state].rests then return S[job.state].rq end
  if job.token ~= '' then return 'started' end
  return has_slot(job) and 'queued' or 'deferred'
end

local function write_rq(job, at)
  local status = rq_status(job)
  local registries = {deferred = K.rq_deferred, finished = K.rq_finished, failed = K.rq_failed, canceled = K.rq_canceled}
  for name, key in pairs(registries) do
    if name ~= status and (job.rq == name or job.rq == nil) then redis.call('ZREM', key(C.queue), job.id) end
  end
  if registries[status] then
    local score = job.expires_at ~= '' and math.floor(tonumber(job.expires_at) / 1000) or '+inf'
    redis.call('ZADD', registries[status](C.queue), score, job.id)
  end
  job.rq = status
  local texts = {  -- an empty one is left out: RQ reads a missing field as an empty one, and each costs 70 bytes
    created_at = iso(tonumber(job.created_at)), enqueued_at = iso_or_empty(job.queued_at),
    started_at = iso_or_empty(job.started_at), ended_at = iso_or_empty(job.ended_at), last_heartbeat = iso(at),
    data = cjson.encode({C.perform, cjson.null, {job.id}, {}}),
    description = job.kind .. ' into ' .. job.account .. '/' .. job.index, origin = C.queue, status = status,
    timeout = '-1', worker_name = job.token ~= '' and job.worker or '', meta = mirror(job),
    exc_info = S[job.state].rests and job.error or '',
  }
  for name, text in pairs(texts) do
    if text == '' then texts[name] = nil end
  end
  redis.call('DEL', K.rq_job(job.id))
  redis.call('HSET', K.rq_job(job.id), unpack(flatten(texts)))
end

-- Lanes ----------------------------------------------------------------------------------------------------------
-- A lane is ready when nobody holds it and a job waits in it: from the time on that its head may begin.
local function refresh_lane(lane, at)
  local head = redis.call('HEXISTS', K.holders, lane) == 0 and redis.call('ZRANGE', K.lane(lane), 0, 0)[1]
  local waiting = head and redis.call('HMGET', K.job(head), 'kind', 'not_before')
  local kind = waiting and ceiling({kind = waiting[1]})
  for _, one in ipairs({'push', 'pull'}) do
    if one ~= kind then redis.call('ZREM', K.ready(one), lane) end
  end
  if not kind then return end
  local from = math.max(at, tonumber(waiting[2]) or 0)
  local since = tonumber(redis.call('ZSCORE', K.ready(kind), lane) or nil)
  if not since or since > at or from > at then redis.call('ZADD', K.ready(kind), int(from), lane) end
end

local function next_round(lane, at)
  local last = tonumber(redis.call('GET', K.round(lane)) or 0)
  local round = int(math.max(last + 1, at))
  redis.call('SET', K.round(lane), round, 'EX', 86400)
  return round
end

local function to_the_end_of_its_lane(job)
  job.order = int(redis.call('INCR', K.sequence))
end

-- Slots ----------------------------------------------------------------------------------------------------------
local function give_slot(job, until_ms)
  redis.call('ZADD', K.slots, int(until_ms), job.id)
  if ceiling(job) == 'pull' then redis.call('ZADD', K.pull_slots, int(until_ms), job.id) end
  redis.call('HSET', K.holders, job.lane, job.id)
end

-- Takes the slot back from a run that answered or was lost, or from a job that was admitted and not claimed:
-- RQ forgets this one execution, and the id leaves RQ's queue.
local function free_slot(job)
  redis.call('ZREM', K.slots, job.id)
  redis.call('ZREM', K.pull_slots, job.id)
  if redis.call('HGET', K.holders, job.lane) == job.id then redis.call('HDEL', K.holders, job.lane) end
  redis.call('LREM', K.rq_queue(C.queue), 0, job.id)
  redis.call('LREM', K.rq_intermediate(C.queue), 0, job.id)
end

local function drop_execution(id, token, worker)
  redis.call('DEL', K.rq_execution(id, token))
  redis.call('ZREM', K.rq_executions(id), token)
  redis.call('ZREM', K.rq_started(C.queue), id .. ':' .. token)
  redis.call('SREM', K.rq_worker_executions(worker), id .. ':' .. token)
end

-- Retention ------------------------------------------------------------------------------------------------------
local PARTS = {  -- what ends together: part -> keys
  payload = function(job) return {K.payload(job.id, job.payload_name), K.marks(job.id)} end,
  details = function(job) return {K.failures(job.id), K.skipped(job.id), K.duplicates(job.id), K.traces(job.id), K.rq_job(job.id)} end,
  job = function(job) return {K.job(job.id)} end,
}

local function keep_for_ever(job)
  for part, keys in pairs(PARTS) do
    redis.call('ZREM', K.expires, part .. ':' .. job.id)
    for _, key in ipairs(keys(job)) do redis.call('PERSIST', key) end
  end
  redis.call('HDEL', K.expiring, job.id)
  job.expires_at, job.payload_expires_at = '', ''
end

-- Says in the record when each part ends; nothing yet where the setting keeps it for ever.
local function plan_the_end(job, at)
  local keep = S[job.state].keep == 'paused' and C.keep.paused or C.keep[job.kind]
  if keep.job == 0 then return nil end
  job.expires_at, job.payload_expires_at = int(at + keep.job), int(at + keep.payload)
  return keep
end

-- The logical end is the tick's (EXPIRE); Redis' own TTL a day later is the net for when no worker lives.
local function keep_until(job, keep, at)
  for part, keys in pairs(PARTS) do
    if part == 'job' or keep[part] < keep.job then  -- the end of the job ends the others, too
      redis.call('ZADD', K.expires, int(at + keep[part]), part .. ':' .. job.id)
    end
    for _, key in ipairs(keys(job)) do redis.call('PEXPIREAT', key, int(at + keep[part] + 86400000)) end
  end
  redis.call('HSET', K.expiring, job.id, cjson.encode({id = job.id, account = job.account, index = job.index, kind = job.kind,
    queue = job.queue, state = job.state, payload_name = job.payload_name, stored_bytes = job.stored_bytes,
    quota_month = job.quota_month, quota_reserved = job.quota_reserved, quota_base = job.quota_base,
    succeeded = job.quota_month and job.succeeded}))
end

-- An upload is no more, because a job takes it over or because it ends: returns its stored bytes, nil when its time was over.
-- `fate` is for the metrics: taken, abandoned, expired.
local function end_upload(upload, fate)
  local stored = redis.call('HGET', K.uploads, upload)
  if not stored then return nil end
  redis.call('HDEL', K.uploads, upload)
  redis.call('ZREM', K.expires, 'upload:' .. upload)
  count('uploads:' .. fate, 1)
  return stored
end

local function give_back_bytes(stored)
  if tonumber(stored or 0) > 0 then redis.call('DECRBY', K.bytes, stored) end
end

-- Units ----------------------------------------------------------------------------------------------------------
-- One a success, of the job's account, in a month: what is taken of it is what resting jobs were charged for and what
-- the others reserved. A reservation lives in its job's record as long as it is outstanding: quota_month, quota_reserved, and
-- quota_base, what had succeeded before.
local QUOTA_KEPT_S = 400 * 86400

local function units_left(job)
  return job.quota_month and tonumber(job.quota_reserved) + tonumber(job.quota_base) - tonumber(job.succeeded) or 0
end

-- Ends a reservation: successes stay taken, in its own month; the rest goes back.
local function charge_units(job)
  if not job.quota_month then return end
  local taken = K.quota(job.account, job.quota_month)
  if redis.call('EXISTS', taken) == 1 then redis.call('DECRBY', taken, int(units_left(job))) end
  job.quota_month, job.quota_reserved, job.quota_base = nil, nil, nil
end

-- Makes the reservation hold what the job may still send in `state`: all of it, or what is in doubt where it only settles,
-- which no quota refuses, for that may be in the index. An unknown total reserves nothing; it is charged at the end.
-- Returns nil; or {limit, used, wanted, month} when the quota is too small, and changes nothing.
local function reserve_units(job, state, at)
  local to = S[state].announces and job.total or job.sent_to
  local wanted = to ~= '' and math.max(0, tonumber(to) - processed(job)) or 0
  if job.quota_month and (to == '' or units_left(job) >= wanted) then return nil end
  local month = iso(at):sub(1, 7)
  local limit = S[state].announces and tonumber(redis.call('HGET', K.account(job.account), 'quota') or 0) or 0
  local used = tonumber(redis.call('GET', K.quota(job.account, month)) or 0)
  if job.quota_month == month then used = used - units_left(job) end
  local least = to == '' and 1 or wanted
  if limit > 0 and least > 0 and used + least > limit then return {limit, used, least, month} end
  charge_units(job)
  redis.call('INCRBY', K.quota(job.account, month), int(wanted))
  redis.call('EXPIRE', K.quota(job.account, month), QUOTA_KEPT_S)
  job.quota_month, job.quota_reserved, job.quota_base = month, int(wanted), job.succeeded
  return nil
end

-- The one move ---------------------------------------------------------------------------------------------------
-- Gives `job` the state `to` and puts it everywhere where a job in this state stands: lists, lane, RQ, retention.
local function move(job, to)
  local at, at_us = clock()
  local from = job.state
  if from ~= to then
    for _, scope in ipairs(scopes(job)) do
      if from then redis.call('ZREM', K.list(scope, from), job.id) end
      redis.call('ZADD', K.list(scope, to), S[to].by_order and scope:find('^queue:') and job.order or at_us, job.id)
    end
    job.state = to
    job.ended_at = S[to].ended and int(at) or ''
    if S[to].ended then count('ended:' .. to, 1) end
  end
  if not S[to].rests and job.token == '' and not has_slot(job) then
    redis.call('ZADD', K.lane(job.lane), job.order, job.id)
  else
    redis.call('ZREM', K.lane(job.lane), job.id)
  end
  job.updated_at = int(at)
  if S[to].charges then charge_units(job) end
  if job.expires_at ~= '' then keep_for_ever(job) end
  local keep = S[to].rests and plan_the_end(job, at)
  write_rq(job, at)
  save(job)
  if keep then keep_until(job, keep, at) end
  refresh_lane(job.lane, at)
end
