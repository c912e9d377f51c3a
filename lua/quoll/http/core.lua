--- The module quoll.core.http, which a build may lack.
-- @module quoll.http.core

local found, core = pcall(require, "quoll.core.http")
if not found then
  error(core:find("not found", 1, true) and "built without QL_HTTP" or core, 0)
end

return core
