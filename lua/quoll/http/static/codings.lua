--- Files that lie compressed beside the plain ones: "app.js.br", "app.js.gz".
-- @module quoll.http.static.codings

local accept = require "quoll.http.syntax.accept"

local codings = {}

local ORDER = { "br", "gzip" } -- of what the client wants as much
local ENDINGS = { br = ".br", gzip = ".gz" }
local AGAIN = 1 -- seconds until a file that was not there is looked for again

-- Those that are there. One that is older than the plain file was made of
-- another, or is another thing of such a name.
local function look(files, plain)
  local found = {}
  for _, coding in ipairs(ORDER) do
    local entry = files:get(plain.name .. ENDINGS[coding])
    if entry and entry.mtime >= plain.mtime then
      found[#found + 1] = coding
    end
  end
  return found
end

local function beside(files, plain)
  local now = files.time
  if not plain.looked or now - plain.looked >= math.max(files.valid, AGAIN) then
    plain.codings, plain.looked = look(files, plain), now
  end
  return plain.codings
end

local function plain_form(plain, file, varies)
  return plain, file, nil, varies
end

--- The form of a file that a client wants most.
-- @tparam Files files
-- @tparam table plain entry of the plain file
-- @tparam ?File file its, open
-- @tparam table req with header_values(name)
-- @treturn table entry to send; file, as files:get gives it; the coding, nil
-- when it is plain; whether another client may get another form
function codings.choose(files, plain, file, req)
  local there = beside(files, plain)
  if not there[1] then
    return plain_form(plain, file, false)
  end
  local coding = accept.choose_for(req, there)
  if not coding or coding == "identity" then
    return plain_form(plain, file, true)
  end
  local entry, packed = files:get(plain.name .. ENDINGS[coding])
  if not entry or entry.mtime < plain.mtime then
    plain.looked = nil
    return plain_form(plain, file, true)
  end
  return entry, packed, coding, true
end

return codings
