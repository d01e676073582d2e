-- SUBMIT: a new job begins to wait. Its payload is there already, as an upload, or the rest of it comes along.
-- ARGV 1 the record's fields as JSON texts, 2 the first state, 3 upload or '',
--   4 JSON: digests by which the request is known when it comes again (key, body),
--   5 JSON: what the account's trail says of a new job (name, value, ...),
--   6 where the upload has a rest: room as JSON, see take_room, then the rest's fields: name, bytes
-- Returns {'ok', who has the lane's slot or '', how many parents live, then fields of the record that ARGV 1 has not as they
-- are}; {'again', ...} with the first job's of a request that came again, and nothing is made; or {a word of take_room}:
-- 'gone' also when the upload's time was over.
local at = clock()
local job = cjson.decode(ARGV[1])

local function reply(word, lane, fields)
  local alive = redis.call('ZCOUNT', K.parents, int(at - C.alive_ms), '+inf')
  return {word, redis.call('HGET', K.holders, lane) or '', alive, unpack(flatten(fields))}
end

local known = load(job.id)
if known then return known.deleted == '1' and {'gone'} or reply('ok', job.lane, known) end  -- the reply to the first call was lost

local room = ARGV[6] and cjson.decode(ARGV[6])
if room and misses_index(ARGV[3], room) then return {'no_index'} end

local BODY_S, SAME_MS = 604800, 30000
local once = cjson.decode(ARGV[4])
local function first_job(digest)
  local id = digest and redis.call('GET', K.once(job.account, digest))
  local first = id and load(id)
  return first and first.deleted ~= '1' and (first.deleted_at or '') == '' and first or nil
end
local first = first_job(once.key)
if first then return reply('again', first.lane, first) end
first = first_job(once.body)
if first and (not S[first.state].rests or at - tonumber(first.created_at) < SAME_MS) then return reply('again', first.lane, first) end

if ARGV[3] ~= '' then
  if room then
    local word = take_room(ARGV[3], room)
    if word ~= 'ok' then return {word} end
    redis.call('HSET', K.payload(job.id, job.payload_name), unpack(ARGV, 7))
  end
  local stored = end_upload(ARGV[3], 'taken')
  if not stored then return {'gone'} end
  redis.call('PERSIST', K.payload(job.id, job.payload_name))
  job.stored_bytes = stored
end
if once.key then redis.call('SET', K.once(job.account, once.key), job.id, 'EX', C.once_s) end
if once.body then redis.call('SET', K.once(job.account, once.body), job.id, 'EX', BODY_S) end
job.index_birth = redis.call('HGET', K.births(job.account), job.index) or ''
job.round = next_round(job.lane, at)
to_the_end_of_its_lane(job)
job.created_at, job.queued_at = int(at), int(at)
move(job, ARGV[2])
admit(C.at_once)
local entry = cjson.decode(ARGV[5])
if #entry > 0 then redis.call('XADD', K.audit(job.account), '*', unpack(entry)) end
local given = {}
for _, name in ipairs({'stored_bytes', 'index_birth', 'round', 'order', 'created_at', 'queued_at', 'state', 'updated_at'}) do
  given[name] = job[name]
end
return reply('ok', job.lane, given)
