--- Accept-Encoding: which of the codings at hand a client wants most.
-- RFC 9110, section 12.5.3.
-- @module quoll.http.syntax.accept

local trim = require "quoll.http.syntax.trim"

local accept = {}

local KEPT = 64 -- headers whose reading is kept: browsers send few

local aliases = { ["x-gzip"] = "gzip", ["x-compress"] = "compress" }

local function weight(parameters)
  local q = parameters:match "^%s*;%s*[qQ]=([01]%.?%d*)%s*$"
  q = q and #q <= 5 and tonumber(q)
  return parameters == "" and 1 or q and q <= 1 and q or nil
end

--- Reads an Accept-Encoding header. Elements that are no coding with at most a
-- weight are passed over.
-- @string header
-- @treturn table name of a coding in lower case, or "*" -> weight, 0 to 1
function accept.encodings(header)
  local weights = {}
  for element in header:gmatch "[^,]+" do
    local name, parameters = trim(element):match
      "^([%w!#$%%&'*+.^_`|~-]+)%s*(.*)$"
    local q = name and weight(parameters)
    if q then
      name = name:lower()
      name = aliases[name] or name
      weights[name] = math.max(q, weights[name] or 0)
    end
  end
  return weights
end

local known, count = {}, 0

local function read(header)
  local weights = known[header]
  if not weights then
    weights = accept.encodings(header)
    if count == KEPT then
      known, count = {}, 0
    end
    known[header], count = weights, count + 1
  end
  return weights
end

--- Chooses among codings: the one with the highest weight; of several the
-- first. The plain form ("identity") is taken only when nothing else is wanted
-- at least as much.
-- @tparam ?string header Accept-Encoding's value; nil: the client says nothing
-- and gets the plain form
-- @tparam table codings array of names in lower case, best first, without
-- "identity"
-- @treturn ?string a coding, "identity", or nil: none of them is acceptable
function accept.choose(header, codings)
  if not header then
    return "identity"
  end
  local weights = read(header)
  local any = weights["*"]
  local plain = weights.identity or any
  local best, most = nil, 0
  for i = 1, #codings do
    local q = weights[codings[i]] or any or 0
    if q > most then
      best, most = codings[i], q
    end
  end
  if best and not (weights.identity and weights.identity > most) then
    return best
  end
  return plain ~= 0 and "identity" or nil
end

--- Chooses for a request, whose header may come in several lines.
-- @tparam Request req
-- @tparam table codings as of `choose`
-- @treturn ?string as of `choose`
function accept.choose_for(req, codings)
  local lines = req:header_values "accept-encoding"
  return accept.choose(lines[1] and table.concat(lines, ","), codings)
end

return accept
