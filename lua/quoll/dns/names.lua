--- Host names: what is one, and under which names to ask for it.
-- @module quoll.dns.names

local names = {}

local function refuse(name, why)
  return nil, ("bad host name '%s': %s"):format(name, why), "EINVAL"
end

--- Checks a name.
-- @string name
-- @treturn[1] string in lower case, without a dot at its end
-- @treturn[1] boolean it had one: it is complete
-- @treturn[2] nil
-- @treturn[2] string "bad host name ..."
-- @treturn[2] string EINVAL
function names.check(name)
  local bare, dot = name:lower():match "^(.-)(%.?)$"
  if name:find "[\128-\255]" then
    return refuse(name, "not ASCII; its xn-- form is")
  elseif bare == "" then
    return refuse(name, "empty")
  elseif bare:find "[^%w_/*.-]" then
    return refuse(name:gsub("%c", "?"), "a character that names have not")
  elseif #bare > 253 then
    return refuse(name, "longer than 253 bytes")
  end
  for label in (bare .. "."):gmatch "(.-)%." do
    if label == "" then
      return refuse(name, "an empty label")
    elseif #label > 63 then
      return refuse(name, "a label longer than 63 bytes")
    end
  end
  return bare, dot == "."
end

--- The names to ask for, in order: those in the search list and the name
-- itself, which comes first when it has ndots dots.
-- @string name checked
-- @bool complete no search list
-- @tparam table conf `search`, `ndots`
-- @treturn {string,...}
function names.candidates(name, complete, conf)
  if complete then
    return { name }
  end
  local list = {}
  local _, dots = name:gsub("%.", "")
  for _, domain in ipairs(conf.search) do
    local long = domain == "." and name or name .. "." .. domain
    if #long <= 253 then
      list[#list + 1] = long
    end
  end
  table.insert(list, dots >= conf.ndots and 1 or #list + 1, name)
  return list
end

--- Names that mean this machine (RFC 6761).
function names.is_localhost(name)
  return name == "localhost" or name:find "%.localhost$" ~= nil
end

--- Names that are nobody's (RFC 6761).
function names.is_invalid(name)
  return name == "invalid" or name:find "%.invalid$" ~= nil
end

--- The name under which an address has its PTR records.
-- @string family "inet" or "inet6"
-- @string packed its 4 or 16 bytes
-- @treturn string
function names.arpa(family, packed)
  if family == "inet" then
    local a, b, c, d = packed:byte(1, 4)
    return ("%d.%d.%d.%d.in-addr.arpa"):format(d, c, b, a)
  end
  local digits = {}
  for i = 16, 1, -1 do
    local byte = packed:byte(i)
    digits[#digits + 1] = ("%x.%x."):format(byte % 16, math.floor(byte / 16))
  end
  return table.concat(digits) .. "ip6.arpa"
end

return names
