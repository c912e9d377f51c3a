--- Host names where datagrams take an address: each of its addresses is tried
-- until the socket can send there.
-- @module quoll.net.named

local named = {}

-- A socket of the other family: the next address may do.
local function elsewhere(code)
  return code == "EAFNOSUPPORT" or code == "ENETUNREACH"
end

--- Looks the name up and calls attempt(address, port) for its addresses, best
-- first, until one is not refused for its family.
-- @string name "host", or without a port "host:port"
-- @tparam ?int port
-- @tparam ?number timeout seconds for the look-up
-- @func attempt returns true or nil, err, CODE
-- @return what attempt returned; nil, err, CODE: as of `quoll.dns.resolve`
function named.try(name, port, timeout, attempt)
  local host = name
  if not port then
    host, port = name:match "^(.*):(%d+)$"
    port = tonumber(port)
  end
  local addresses, err, code =
    require("quoll.dns").resolve(host, { timeout = timeout })
  if not addresses then
    return nil, err, code
  end
  local result
  for _, address in ipairs(addresses) do
    result, err, code = attempt(address, port)
    if result or not elsewhere(code) then
      break
    end
  end
  return result, err, code
end

return named
