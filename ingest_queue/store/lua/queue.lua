-- QUEUE: how many jobs of a scope are in each state, and one page of those in some states, at one moment. Reads only.
-- ARGV 1 scope, 2 JSON: states (to be counted), wanted (states of the page), most (only so many of them, the newest),
--   first (how many come before the page), limit, newest_first
-- Returns {a count for each of `states`}, {ids of the page}
-- The wanted lists are read as one, by score, then by list: what is read grows with the page, not with its place.
local ask = cjson.decode(ARGV[2])
local counts = {}
for i, state in ipairs(ask.states) do counts[i] = redis.call('ZCARD', K.list(ARGV[1], state)) end

local lists, sizes, total = {}, {}, 0
for i, state in ipairs(ask.wanted) do
  lists[i] = K.list(ARGV[1], state)
  sizes[i] = redis.call('ZCARD', lists[i])
  total = total + sizes[i]
end

-- How many of the oldest `rank` jobs of all lists stand in this one
local function share(mine, rank)
  local low, high = 0, math.min(sizes[mine], rank)
  while low < high do
    local middle = math.ceil((low + high) / 2)
    local score = redis.call('ZRANGE', lists[mine], middle - 1, middle - 1, 'WITHSCORES')[2]
    local upto = middle
    for other, list in ipairs(lists) do
      if other ~= mine then upto = upto + redis.call('ZCOUNT', list, '-inf', other < mine and score or '(' .. score) end
    end
    if upto <= rank then low = middle else high = middle - 1 end
  end
  return low
end

local shown = math.min(total, ask.most)
local before = math.min(ask.first, shown)
local upto = math.min(before + ask.limit, shown)
local from, to = total - shown + before, total - shown + upto
if ask.newest_first then from, to = total - upto, total - before end

local page = {}
for i, list in ipairs(lists) do
  local first, last = share(i, from), share(i, to)
  local found = last > first and redis.call('ZRANGE', list, first, last - 1, 'WITHSCORES') or {}
  for n = 1, #found, 2 do page[#page + 1] = {id = found[n], score = tonumber(found[n + 1]), list = i, place = n} end
end
table.sort(page, function(a, b)
  if a.score ~= b.score then return a.score < b.score end
  if a.list ~= b.list then return a.list < b.list end
  return a.place < b.place
end)
local ids = {}
for n, one in ipairs(page) do ids[ask.newest_first and #page + 1 - n or n] = one.id end
return {counts, ids}
