--- A page of what a folder holds.
-- @module quoll.http.static.listing

local fs = require "quoll.fs"
local percent = require "quoll.http.syntax.percent"

local listing = {}

local PAGE = [[
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>%s</title>
<style>
:root { color-scheme: light dark; --line: #8884; --quiet: #777; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.25rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%%; }
td { padding: .35rem .5rem; border-top: 1px solid var(--line); }
td:first-child { width: 100%%; overflow-wrap: anywhere; padding-left: 0; }
td + td { text-align: right; white-space: nowrap; color: var(--quiet);
  font-variant-numeric: tabular-nums; }
a { text-decoration: none; }
a:hover, a:focus { text-decoration: underline; }
@media (max-width: 30rem) { td:nth-child(3) { display: none; } }
@media (prefers-color-scheme: dark) { :root { --quiet: #999; }
  body { background: #16181d; color: #e4e6eb; } a { color: #8ab4f8; } }
</style>
</head>
<body>
<h1>%s</h1>
<table>
%s</table>
</body>
</html>
]]
local ROW = [[
<tr><td><a href="%s">%s</a></td><td>%s</td><td>%s</td></tr>
]]
local UNITS = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" }

local references = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;",
  ['"'] = "&quot;", ["'"] = "&#39;" }

local function escape(text)
  return (text:gsub("[&<>\"']", references))
end

local function size_text(bytes)
  local unit = "B"
  for _, larger in ipairs(UNITS) do
    if bytes < 999.5 then
      break
    end
    bytes, unit = bytes / 1024, larger
  end
  return (unit == "B" or bytes >= 99.5) and ("%.0f %s"):format(bytes, unit)
    or ("%.1f %s"):format(bytes, unit)
end

-- What a symbolic link leads to is known of files only that may be served.
local function entry_of(self, folder, name, kind)
  if kind == "link" then
    local entry, code = self.files:get(folder .. name)
    if entry then
      return { name = name, folder = false, size = entry.size,
        mtime = entry.mtime }
    end
    return code == "EISDIR" and { name = name, folder = true } or nil
  elseif kind ~= "file" and kind ~= "directory" then
    return nil
  end
  local info = fs.lstat(self.root .. "/" .. folder .. name)
  return info and { name = name, folder = kind == "directory",
    size = info.size, mtime = info.mtime }
end

local function folders_first(a, b)
  if a.folder ~= b.folder then
    return a.folder
  end
  return a.name < b.name
end

local function entries(self, folder)
  local list = {}
  local names, err, code = fs.readdir(folder == "" and "." or folder,
    { root = self.root })
  if not names then
    return nil, code, err
  end
  for name, kind in names do
    if self.dotfiles or name:byte() ~= 46 then
      list[#list + 1] = entry_of(self, folder, name, kind)
    end
  end
  table.sort(list, folders_first)
  return list
end

local function row(entry)
  local slash = entry.folder and "/" or ""
  return ROW:format("./" .. percent.encode(entry.name) .. slash,
    escape(entry.name) .. slash,
    entry.folder and "" or size_text(entry.size),
    entry.mtime and os.date("!%Y-%m-%d %H:%M", math.floor(entry.mtime)) or "")
end

--- Lists a folder: its folders and regular files, with sizes and times (UTC).
-- @tparam table self `files`, `root` and `dotfiles` of the handler
-- @string folder its name below the root, "" or with "/" at its end
-- @treturn[1] string HTML
-- @treturn[2] nil
-- @treturn[2] string CODE: ENOENT, EXDEV (outside of the root), ...
-- @treturn[2] string err
function listing.page(self, folder)
  local list, code, err = entries(self, folder)
  if not list then
    return nil, code, err
  end
  local rows = folder ~= "" and { ROW:format("../", "..", "", "") } or {}
  for _, entry in ipairs(list) do
    rows[#rows + 1] = row(entry)
  end
  local title = escape("/" .. folder)
  return PAGE:format(title, title, table.concat(rows))
end

return listing
