--- SQLite, whose calls are made by threads. The Lua half of sqlite.c.
--
--     local db = assert(sqlite.open "app.db")
--     assert(db:query("insert into t values (?, ?)", 1, sqlite.blob "\0\1"))
--     for row in db:rows("select * from t where id > :id", { id = 0 }) do
--
-- NULL is nil, by name sqlite.null; integers too large for a number are digits.

local quoll = require "quoll"
local core = require "sqlite_core"
local finish = require("quoll.wait").finish

local READ_ONLY, CREATE = 0x10001, 0x10006 -- SQLITE_OPEN_*, _FULLMUTEX
local TYPES = { boolean = 1, number = 2, string = 3, table = 4, ["nil"] = 5 }
local OPEN = { read_only = "boolean", busy = "number" }

local Database, Blob = {}, {}
Database.__index = Database
local NULL = setmetatable({}, Blob)

local function bind(query, name, value)
  local kind = value == NULL and 5 or TYPES[type(value)]
    or error("no parameter: " .. type(value), 4)
  if kind == 2 and value % 1 == 0 and math.abs(value) <= 2 ^ 53 then
    kind = 1
  elseif kind == 1 then
    value = value and 1 or 0
  end
  core.bind(query, name, kind, kind == 4 and value[1] or value)
end

local function prepare(self, sql, ...)
  local query, err, code = core.query(self.handle, not sql:find "%z" and sql
    or error("bad SQL: it has a zero byte", 3))
  if query and type((...)) == "table" and getmetatable((...)) ~= Blob then
    for name, value in pairs((...)) do
      bind(query, ":" .. name, value)
    end
  elseif query then
    for i = 1, select("#", ...) do
      bind(query, "", (select(i, ...)))
    end
  end
  return query, err, code
end

-- Some rows, and whether they are the last ones. A file that somebody else has
-- locked is tried again, and holds no thread meanwhile.
local function fetch(self, query)
  local limit = quoll.now() + self.busy
  while true do
    local rows, last, code = self.lock:with(function()
      return finish(core.call(query))
    end)
    if code ~= "SQLITE_BUSY" or quoll.now() >= limit then
      return rows, last, code
    end
    quoll.sleep(0.005)
  end
end

--- Iterates over the rows of one statement: tables, by the columns' names.
-- Raises what goes wrong. Closing the second result, the query, ends it early.
function Database:rows(sql, ...)
  local query, err = prepare(self, sql, ...)
  local rows, last, at = {}, not query and error(err, 2), 0
  return function()
    at = at + 1
    if at > #rows and not last then
      rows, last = fetch(self, query)
      at = rows and 1 or error(last, 0)
    end
    return rows[at]
  end, query
end

--- Runs one statement: all its rows; or nil, err, CODE: SQLITE_CONSTRAINT, ...
function Database:query(sql, ...)
  local query, err, code = prepare(self, sql, ...)
  local all, rows, last = {}, query, false
  while rows and not last do
    rows, last, code = fetch(self, query)
    for _, row in ipairs(rows or {}) do
      all[#all + 1] = row
    end
  end
  if query then
    query:close()
  end
  if not rows then
    return nil, last or err, code
  end
  return all
end

for _, name in ipairs { "close", "own", "disown" } do
  Database[name] = function(self) return self.handle[name](self.handle) end
end

return {
  --- Opens a file. opts: read_only; busy: s to try again while it is locked.
  open = function(path, opts)
    opts = opts or {}
    for name, value in pairs(opts) do
      if type(value) ~= OPEN[name] then
        error(("bad option '%s'; there are busy, read_only"):format(name), 2)
      end
    end
    local handle = core.new(path, opts.read_only and READ_ONLY or CREATE)
    local ok, err, code = finish(core.call(handle))
    if not ok then
      handle:close()
      return nil, err, code
    end
    return setmetatable({ handle = handle, busy = opts.busy or 5,
      lock = quoll.sync.mutex() }, Database)
  end,
  blob = function(bytes) return setmetatable({ bytes }, Blob) end,
  null = NULL,
}
