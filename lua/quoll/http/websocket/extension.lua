--- The header Sec-WebSocket-Extensions: what is agreed on (RFC 7692, 7.1).
-- @module quoll.http.websocket.extension

local deflate = require "quoll.http.websocket.deflate"

local extension = {}

local NAME = "permessage-deflate"

-- One parameter at `at`: its name, its value (true: none) and its end.
local function parameter(text, at)
  local _, last, name = text:find("^;[ \t]*([%w_-]+)[ \t]*", at)
  if not last then
    return nil
  end
  local _, finish, value = text:find('^=[ \t]*"?(%w+)"?[ \t]*', last + 1)
  return name, value or true, finish or last
end

-- "name; parameter=value": name in lower case, { parameter = value or true };
-- nil: it is malformed.
local function parse_item(text)
  local _, at, name = text:find "^[ \t]*([%w!#$%%&'*+.^_`|~-]+)[ \t]*"
  local params = {}
  while at and at < #text do
    local key, value, last = parameter(text, at + 1)
    if not key or params[key] ~= nil then
      return nil
    end
    params[key], at = value, last
  end
  return name and name:lower(), params
end

-- A header: a list of { name, params }; nil: it is malformed.
local function parse(header)
  local list = {}
  for item in (header .. ","):gmatch "([^,]*)," do
    local name, params = parse_item(item)
    if not name then
      return nil
    end
    list[#list + 1] = { name, params }
  end
  return list
end

-- 8 to 15, of a parameter; nil: it is neither missing (15) nor that.
local function window(value)
  if value == nil then
    return 15
  end
  local text = type(value) == "string" and value:match "^[1-9]%d?$"
  local bits = tonumber(text or nil)
  return bits and bits >= 8 and bits <= 15 and bits or nil
end

local KNOWN = { server_no_context_takeover = true,
  client_no_context_takeover = true, server_max_window_bits = true,
  client_max_window_bits = true }

local function known(params)
  for name, value in pairs(params) do
    if not KNOWN[name] or (name:find "takeover" and value ~= true) then
      return false
    end
  end
  return true
end

-- One offer: what we answer and work with; nil: it is not to be had.
local function accept(params, set)
  local theirs = params.client_max_window_bits
  local mine = window(params.server_max_window_bits)
  local limit = theirs == true and 15 or window(theirs)
  if not known(params) or not mine or mine < 9 or not limit then
    return nil
  end
  local answer = { NAME }
  local function add(text)
    answer[#answer + 1] = text
  end
  local reset = not set.context or params.server_no_context_takeover ~= nil
  local peer_reset = not set.context or params.client_no_context_takeover ~= nil
  if reset then
    add "server_no_context_takeover"
  end
  if peer_reset then
    add "client_no_context_takeover"
  end
  mine = math.min(mine, set.bits)
  if mine < 15 then
    add("server_max_window_bits=" .. mine)
  end
  if theirs and math.min(limit, set.bits) < 15 then
    limit = math.max(math.min(limit, set.bits), 8)
    add("client_max_window_bits=" .. limit)
  end
  return table.concat(answer, "; "),
    deflate.new(set, { bits = mine, reset = reset, peer_bits = limit,
      peer_reset = peer_reset })
end

--- The server's side: takes the first offer that it can keep.
-- @tparam ?string header Sec-WebSocket-Extensions of the request
-- @tparam ?table set of `deflate.check`
-- @treturn[1] string the answer's header
-- @treturn[1] Deflate
-- @treturn[2] nil no extension
function extension.accept(header, set)
  for _, offer in ipairs(set and header and parse(header) or {}) do
    if offer[1] == NAME then
      local answer, agreed = accept(offer[2], set)
      if answer then
        return answer, agreed
      end
    end
  end
end

--- The client's side: the header that offers it.
-- @tparam table set of `deflate.check`
-- @treturn string
function extension.offer(set)
  local offer = NAME .. "; client_max_window_bits"
  if not set.context then
    offer = offer
      .. "; server_no_context_takeover; client_no_context_takeover"
  end
  if set.bits < 15 then
    offer = offer .. "; server_max_window_bits=" .. set.bits
  end
  return offer
end

--- The client's side: what the server has answered.
-- @string header
-- @tparam ?table set of `deflate.check`; nil: nothing was offered
-- @treturn[1] Deflate
-- @treturn[2] nil it is no answer to our offer
function extension.agree(header, set)
  local list = parse(header)
  local params = list and list[1] and list[1][2]
  if not set or not params or #list > 1 or list[1][1] ~= NAME
    or not known(params) then
    return nil
  end
  local theirs = window(params.server_max_window_bits)
  local mine = window(params.client_max_window_bits)
  if not theirs or not mine or theirs > set.bits
    or (not set.context and not params.server_no_context_takeover) then
    return nil
  end
  return deflate.new(set, { bits = math.min(mine, set.bits),
    reset = not set.context or params.client_no_context_takeover ~= nil,
    peer_bits = theirs,
    peer_reset = params.server_no_context_takeover ~= nil })
end

return extension
