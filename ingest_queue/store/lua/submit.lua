-- SUBMIT: a new job begins to wait. Its payload is there already, as an upload, or the rest of it comes along.
-- ARGV 1 the record's fields as JSON texts, 2 the first state, 3 upload or '', and where it has a rest:
--   4 room as JSON, see take_room, then the rest's fields: name, bytes
-- Returns {'ok', who has the lane's slot or '', how many parents live, then fields of the record that ARGV 1 has not as they
-- are}, or {a word of take_room}: 'gone' also when the upload's time was over.
local at = clock()
local job = cjson.decode(ARGV[1])

local function reply(fields)
  local alive = redis.call('ZCOUNT', K.parents, int(at - C.alive_ms), '+inf')
  return {'ok', redis.call('HGET', K.holders, job.lane) or '', alive, unpack(flatten(fields))}
end

local known = load(job.id)
if known then return known.deleted == '1' and {'gone'} or reply(known) end  -- the reply to the first call was lost
if ARGV[3] ~= '' then
  if ARGV[4] then
    local word = take_room(ARGV[3], cjson.decode(ARGV[4]))
    if word ~= 'ok' then return {word} end
    redis.call('HSET', K.payload(job.id, job.payload_name), unpack(ARGV, 5))
  end
  local stored = end_upload(ARGV[3])
  if not stored then return {'gone'} end
  redis.call('PERSIST', K.payload(job.id, job.payload_name))
  job.stored_bytes = stored
end
job.index_birth = redis.call('HGET', K.births(job.account), job.index) or ''
job.round = next_round(job.lane, at)
to_the_end_of_its_lane(job)
job.created_at, job.queued_at = int(at), int(at)
move(job, ARGV[2])
admit(C.at_once)
local given = {}
for _, name in ipairs({'stored_bytes', 'index_birth', 'round', 'order', 'created_at', 'queued_at', 'state', 'updated_at'}) do
  given[name] = job[name]
end
return reply(given)
