--- From the path of a request to a name below a folder.
-- @module quoll.http.static.path

local percent = require "quoll.http.syntax.percent"

local find, sub = string.find, string.sub

local path = {}

-- Some segment is "." or "..".
local function climbs(name)
  return find(name, "/./", 1, true) or find(name, "/../", 1, true)
    or find(name, "/%.%.?$")
end

-- Some segment begins with a dot; "/.well-known/" is made to be public
-- (RFC 8615).
local function hidden(name)
  local at = find(name, "/.", 1, true)
  if at == 1 and find(name, "/.well-known/", 1, true) == 1 then
    at = find(name, "/.", 2, true)
  end
  return at
end

--- What a request's path names. It is decoded once; the kernel sees to it that
-- the rest stays below the folder.
-- @string raw the path as it was sent, with its "/" in front
-- @tparam ?boolean dotfiles names that begin with a dot may be asked for
-- @treturn[1] string name without "/" in front; "" or with "/" at its end: a
-- folder
-- @treturn[2] nil
-- @treturn[2] number status: 400 of what is no path (a bad "%", NUL), 404 of
-- one that names nothing here ("%2F" in a name, "..", a dotfile)
function path.name(raw, dotfiles)
  local name = percent.decode(raw)
  if not name or sub(name, 1, 1) ~= "/" or find(name, "\0", 1, true) then
    return nil, 400
  elseif name ~= raw and find(raw, "%%2[fF]") then
    return nil, 404
  elseif find(name, "/.", 1, true)
    and (climbs(name) or not dotfiles and hidden(name)) then
    return nil, 404
  end
  local from = 2
  while sub(name, from, from) == "/" do
    from = from + 1
  end
  return sub(name, from)
end

return path
