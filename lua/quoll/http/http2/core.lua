--- The module quoll.core.http2, which a build may lack.
-- @module quoll.http.http2.core

local found, core = pcall(require, "quoll.core.http2")
if not found then
  error(core:find("not found", 1, true) and "built without QL_HTTP2" or core, 0)
end

return core
