--- TLS contexts: what many connections share.
-- @module quoll.tls.context

local settings = require "quoll.tls.settings"
local finish = require("quoll.wait").finish
local once = require("quoll.sync.once").new

local context = {}

local CACHED = 32 -- contexts of option tables kept at most

local Context = {}
local meta = { __index = Context, __name = "tls context",
  __metatable = "tls context" }

local cache, cached = {}, 0
local unequalled = 0 -- contexts made of options that no others equal

--- The C half of TLS; raises where quoll was built without it.
function context.core()
  local ok, core = pcall(require, "quoll.core.tls")
  if not ok then
    local raise = require("quoll.core").raise
    raise(core:find("not found", 1, true) and "built without QL_TLS" or core)
  end
  return core
end

function context.is(value)
  return getmetatable(value) == "tls context"
end

-- Certificates by name, each a context of its own.
local function make_names(names, method)
  if type(names) ~= "table" then
    return names
  end
  local made = {}
  for name, opts in pairs(names) do
    local one, err, code = opts, nil, nil
    if not context.is(opts) then
      opts = settings.for_server(opts)
      one, err, code = context.make(settings.check(opts, method), method)
    end
    if not one then
      return nil, name .. ": " .. err, code
    end
    made[name:lower()] = one
  end
  return made
end

-- The C half, the contexts by name, whether the peer is verified. id: what it
-- is known by.
local function read(opts, method, id)
  local core = context.core()
  local made, err, code = settings.read(opts, method)
  if not made then
    return nil, err, code
  end
  local names = opts.names
  if names then
    names, err, code = make_names(names, method)
    if not names then
      return nil, err, code
    end
  end
  local raw
  made.id = id
  raw, err, code = finish(core.make(made))
  if not raw then
    return nil, err, code
  end
  return raw, names, made.verify
end

local function copy_of(opts)
  local copy = {}
  for name, value in pairs(opts) do
    copy[name] = value
  end
  return copy
end

-- What two option tables have in common if they ask for the same; nil: only
-- the script knows whether two functions or contexts are the same.
local function key_of(opts)
  local names = {}
  for name in pairs(opts) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    local value = opts[name]
    if name == "alpn" then
      value = table.concat(value, "\0")
    elseif type(value) == "table" or type(value) == "function" then
      return nil
    end
    value = tostring(value)
    names[i] = ("%s=%d:%s"):format(name, #value, value)
  end
  return table.concat(names, ";")
end

-- Of contexts that are the same to a connection: made of equal options, or read
-- again.
local function id_of(opts)
  local key = key_of(opts)
  if not key then
    unequalled = unequalled + 1
    key = tostring(unequalled)
  end
  return key
end

--- Makes one; the files are read, and a thread parses them.
-- @tparam table opts checked by settings.check
-- @string method for messages
function context.make(opts, method)
  opts = copy_of(opts)
  local id = id_of(opts)
  local raw, names, verify = read(opts, method, id)
  if not raw then
    return nil, names, verify
  end
  return setmetatable({ raw = raw, server = opts.server or false, id = id,
    verify = verify, names = names, keylog = opts.keylog, opts = opts }, meta)
end

--- Reads the files again, for the handshakes that begin from now on. After a
-- failure everything is as before.
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function Context:reload()
  local raw, names, verify = read(self.opts, "reload", self.id)
  if not raw then
    return nil, names, verify
  end
  self.raw, self.names = raw, names
  return true
end

-- What scripts may call.
context.methods = { reload = Context.reload }

local function keep(key, opts, method)
  local made, err, code = context.make(opts, method)
  if made then
    if cached >= CACHED then
      cache, cached = {}, 0
    end
    cache[key], cached = made, cached + 1
  end
  return made, err, code
end

local make_once = once(keep)

--- The context of options, the same one for the same options.
function context.shared(opts, method)
  local key = key_of(opts)
  if not key then
    return context.make(opts, method)
  elseif cache[key] then
    return cache[key]
  end
  return make_once(key, opts, method)
end

--- Which context's certificate a client that asks for name is shown: the
-- name's, that of "*.rest", what a function says; nil: the server's own.
function Context:certificate(name)
  local names = self.names
  if type(names) == "function" then
    local chosen = names(name)
    if chosen ~= nil and not context.is(chosen) then
      error("tls: 'names' returned no context", 0)
    end
    return chosen
  end
  name = (name or ""):lower()
  return names[name] or names[name:gsub("^[^.]+", "*")]
end

return context
