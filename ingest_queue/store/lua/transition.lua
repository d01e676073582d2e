-- TRANSITION: one event happens to one job, or is refused and changes nothing.
-- ARGV 1 JSON: id; arrows {state: to}; holds {state: true}; call (a repeated one is answered, not done again);
--   once (a digest: the same for a day, whatever happened in between);
--   of a run's answer: token, and lost when the tick answers for a run whose lease is over;
--   set {field: text}; needs_payload; queued, delay_ms, waiting_for, trace; retry; edit {from_version, first_changed,
--   version, name, bytes, documents, upload}; counts {field of the metrics: by how much}, added when the event happens
-- Returns {word, record...}: ok, illegal, missing, lost, changed (another edit came first), gone (payload or upload)
redis.call('DEL', K.job(''))  -- lifts Redis' check for memory: a full Redis can still finish jobs
local ask = cjson.decode(ARGV[1])
local at = clock()
local job = load(ask.id)
if not job then return {'missing'} end

local function lease_over()
  local until_ms = redis.call('ZSCORE', K.slots, job.id)
  return until_ms and tonumber(until_ms) < at
end

if ask.token and (job.token ~= ask.token or (ask.lost and not lease_over())) then
  if not ask.lost then drop_execution(ask.id, ask.token, ask.worker) end
  return {'lost'}
end
if job.deleted == '1' then
  if ask.token then
    drop_execution(job.id, job.token, job.worker)
    free_slot(job)
    redis.call('DEL', K.job(job.id), K.rq_job(job.id))  -- RQ's heartbeat may have brought its hash back
    refresh_lane(job.lane, at)
    admit(C.at_once)
  end
  return {'missing'}
end
if job.deleted_at ~= '' then return {'illegal', unpack(flatten(job))} end  -- it may only be read and deleted
local done = ask.once and redis.call('EXISTS', K.once(job.account, ask.once)) == 1
if done or job.last_call == ask.call then return {'ok', unpack(flatten(job))} end
local to = ask.arrows[job.state]
if not to then return {ask.holds[job.state] and 'ok' or 'illegal', unpack(flatten(job))} end
if ask.needs_payload and job.payload_name ~= '' and redis.call('EXISTS', K.payload(job.id, job.payload_name)) == 0 then
  return {'gone', unpack(flatten(job))}
end

local function drop_details_from(cursor)
  for _, key in ipairs({K.failures(job.id), K.skipped(job.id), K.duplicates(job.id)}) do
    for _, position in ipairs(redis.call('HKEYS', key)) do
      if tonumber(position) >= cursor then redis.call('HDEL', key, position) end
    end
  end
  for _, mark in ipairs(redis.call('HKEYS', K.marks(job.id))) do
    if tonumber(mark) > cursor then redis.call('HDEL', K.marks(job.id), mark) end
  end
end

local function begin_again_at(mark)
  charge_units(job)  -- before its counts go back: what is written again is paid for again
  job.cursor, job.sent_to = mark.cursor, mark.cursor
  job.succeeded, job.failed, job.skipped, job.duplicates = mark.succeeded, mark.failed, mark.skipped, mark.duplicates
  job.codes, job.line, job.last_mark = mark.codes, mark.line, mark.cursor
  job.round = next_round(job.lane, at)
end

local FIRST = {cursor = '0', line = '0', succeeded = '0', failed = '0', skipped = '0', duplicates = '0', codes = '{}'}

if ask.edit then
  local edit = ask.edit
  if not settled(job) then return {'illegal', unpack(flatten(job))} end
  if job.payload_version ~= edit.from_version then return {'changed', unpack(flatten(job))} end
  local stored = end_upload(edit.upload, 'taken')
  if not stored then return {'gone', unpack(flatten(job))} end
  local mark = FIRST
  if tonumber(job.cursor) <= edit.first_changed then
    mark = job
  else
    for _, text in ipairs(redis.call('HVALS', K.marks(job.id))) do
      local one = cjson.decode(text)
      local cursor = tonumber(one.cursor)
      if cursor <= edit.first_changed and cursor > tonumber(mark.cursor) then mark = one end
    end
  end
  begin_again_at(mark)
  drop_details_from(tonumber(job.cursor))
  redis.call('UNLINK', K.payload(job.id, job.payload_name), K.traces(job.id))
  give_back_bytes(job.stored_bytes)
  job.payload_version, job.payload_name, job.payload_bytes, job.stored_bytes = edit.version, edit.name, edit.bytes, stored
  job.total = edit.documents
  redis.call('PERSIST', K.payload(job.id, job.payload_name))
elseif ask.retry then
  begin_again_at(FIRST)
  to_the_end_of_its_lane(job)
  redis.call('UNLINK', K.failures(job.id), K.skipped(job.id), K.duplicates(job.id), K.marks(job.id), K.traces(job.id))
end

for field, value in pairs(ask.set) do job[field] = value end
if ask.once then redis.call('SET', K.once(job.account, ask.once), job.id, 'EX', C.once_s) end
if not ask.token then job.last_call = ask.call end  -- a run's answer is fenced by its token, and must not push a verb's out
if ask.queued then job.queued_at = int(at) end
job.not_before = ask.delay_ms and int(at + ask.delay_ms) or ''
if ask.waiting_for then
  job.waiting_for = ask.waiting_for
  if job.waiting_since == '' then job.waiting_since = int(at) end
end
if ask.trace then
  redis.call('RPUSH', K.traces(job.id), ask.trace)
  redis.call('LTRIM', K.traces(job.id), -C.traces_kept, -1)
end
if ask.token then
  drop_execution(job.id, job.token, job.worker)
  free_slot(job)
  job.token = ''
end
if ask.counts then count_all(ask.counts) end
if job.token == '' then
  to = S[to].unheld or to
  if settled(job) then to = S[to].settled or to end
  if S[to].rests then free_slot(job) end
end
move(job, to)
admit(C.at_once)
return {'ok', unpack(flatten(load(job.id)))}  -- it may have been admitted itself
