--- What an answer says about a name.
-- @module quoll.dns.message

local parse = require("quoll.core.dns").parse

local message = {}

local CHAIN = 16 -- aliases that are followed within an answer

local function matching(answer, name, kind)
  local list = {}
  for _, record in ipairs(answer) do
    if record.type == kind and record.name:lower() == name then
      list[#list + 1] = record
    end
  end
  return list
end

-- The records of name or of what it is an alias of; {} without, nil when the
-- aliases have no end. The time is that of all that led there.
local function follow(answer, name, kind)
  local ttl = math.huge
  for _ = 1, CHAIN do
    local list = matching(answer, name, kind)
    local alias = matching(answer, name, "CNAME")[1]
    if #list > 0 or not alias then
      for _, record in ipairs(list) do
        ttl = math.min(ttl, record.ttl)
      end
      return list, ttl
    end
    ttl = math.min(ttl, alias.ttl)
    name = alias.host:lower()
  end
  return nil
end

-- RFC 2308: without a SOA record nobody knows for how long.
local function negative(answer, code)
  local ttl
  for _, record in ipairs(answer.authority) do
    if record.type == "SOA" and record.minimum then
      ttl = math.min(record.ttl, record.minimum)
    end
  end
  return { code = code }, ttl
end

--- The entry that the cache keeps.
-- @tparam string|false text the server's message, if one came
-- @string code "OK", or what is wrong
-- @string name in lower case
-- @string kind
-- @treturn table the records, or `code`: why there is none
-- @treturn ?number s it may be kept; nil: not at all
function message.entry(text, code, name, kind)
  local absent = code == "ENODATA" or code == "ENOTFOUND"
  if code ~= "OK" and not (absent and text) then
    return { code = code }
  end
  local answer = parse(text)
  if not answer then
    return { code = "EBADRESP" }
  elseif absent then
    return negative(answer, code)
  end
  local list, ttl = follow(answer, name, kind)
  if not list then
    return { code = "EBADRESP" }
  elseif #list == 0 then
    return negative(answer, "ENODATA")
  end
  return list, ttl
end

--- Records for a script, which may change them: with the time they have left.
-- @tparam table entry
-- @number now
-- @treturn table
function message.copy(entry, now)
  local list = {}
  for i, record in ipairs(entry) do
    local copy = {}
    for field, value in pairs(record) do
      copy[field] = value
    end
    if entry.expires then
      copy.ttl = math.max(math.min(copy.ttl,
        math.ceil(entry.expires - now)), 0)
    end
    list[i] = copy
  end
  return list
end

return message
