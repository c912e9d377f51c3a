--- HTTP: what its parts have for scripts. A part is loaded on first use.
-- @module quoll.http

-- Name -> module under quoll.http that has it.
local parts = {
  jar = "client.jar",
  part = "part",
  static = "static",
}

return setmetatable({}, {
  parts = parts,
  __index = function(self, name)
    local part = parts[name]
    self[name] = part and require("quoll.http." .. part)[name]
    return rawget(self, name)
  end,
})
