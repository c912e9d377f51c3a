--- The Vary header of an answer.
-- @module quoll.http.middleware.vary

local has = require("quoll.http.syntax.field").has

local vary = {}

--- Says that the answer depends on a header of the request.
-- @tparam table headers normalised
-- @string ... names
function vary.add(headers, ...)
  local value = headers.vary or ""
  if type(value) == "table" then
    value = table.concat(value, ", ")
  end
  for _, name in ipairs { ... } do
    if not has(value, name) and not has(value, "*") then
      value = value == "" and name or value .. ", " .. name
    end
  end
  headers.vary = value
end

return vary
