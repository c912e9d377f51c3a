--- What an access log is given of a request that the server has answered by
-- itself: it could not be read, came too slowly or went beyond a limit.
-- @module quoll.http.refused

local refused = {}

local Refused = {}
Refused.__index = Refused

-- No field was read.
function Refused.header()
  return nil
end

--- Makes one.
-- @tparam ?string peer the client's address
-- @string line the begin of the request's first line, as it came
-- @treturn table peer; method, target, path, version as far as they are known;
-- headers, query, cookies (empty)
function refused.new(peer, line)
  local method, target, rest = line:match "^([%w!#$%%&'*+.^_`|~-]+) (%S+)(.*)$"
  return setmetatable({
    peer = peer,
    method = method,
    target = target,
    path = target and target:match "^/[^?]*",
    version = rest and rest:match "^ HTTP/(%d%.%d)$",
    headers = {}, query = {}, cookies = {},
  }, Refused)
end

return refused
