--- Debian's lua-zlib, which need not be there.
-- @module quoll.http.zlib

--- Loads it.
-- @treturn ?table the library; nil: there is none
return function()
  local ok, library = pcall(require, "zlib")
  return ok and type(library) == "table" and library.inflate and library or nil
end
