--- Public suffixes: "com", "co.uk", "github.io": names under which anybody may
-- have one of their own, so that no cookie is for all of them.
-- @module quoll.http.client.jar.suffixes

local content = require "quoll.fs.content"

local suffixes = {}

-- Of Debian's package `publicsuffix`.
local LIST = "/usr/share/publicsuffix/public_suffix_list.dat"

local known

--- The list of the system; reads it, the first time. Without one only names of
-- a single label are public.
-- @treturn string for `public`: each rule stands between two line feeds
function suffixes.list()
  if not known then
    local text = content.readfile(LIST)
    known = text and "\n" .. text .. "\n" or ""
  end
  return known
end

--- Whether a name is a public suffix.
-- @string list
-- @string name in lower case
-- @treturn boolean
function suffixes.public(list, name)
  local function rule(text)
    return list:find("\n" .. text .. "\n", 1, true) ~= nil
  end
  local parent = name:match "^[^.]+%.(.+)$"
  return not parent or rule(name)
    or rule("*." .. parent) and not rule("!" .. name)
end

return suffixes
