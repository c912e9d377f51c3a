--- Templates: text with Lua in it, escaped unless it says otherwise.
-- @module quoll.http.template

local compiler = require "quoll.http.template.compiler"
local core = require "quoll.core"
local files = require "quoll.fs"
local options = require "quoll.options"

local raise = core.raise

local DEPTH = 32 -- templates within templates

local template = {}

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;",
  ['"'] = "&quot;", ["'"] = "&#39;" }

--- Escapes a text for HTML, between tags and in quoted attributes.
-- @param value nil is nothing
-- @treturn string
function template.escape(value)
  if type(value) == "number" then
    return value
  elseif value == nil then
    return ""
  end
  return (tostring(value):gsub("[&<>\"']", entities))
end

local function raw(value)
  if value == nil then
    return ""
  end
  return type(value) == "number" and value or tostring(value)
end

local function copy(from)
  local to = {}
  for name, value in pairs(from) do
    to[name] = value
  end
  return to
end

-- What a template has without being given it: nothing that reaches outside.
local function base(given)
  local all = { ipairs = ipairs, pairs = pairs, next = next, select = select,
    tonumber = tonumber, tostring = tostring, type = type, unpack = unpack,
    math = copy(math), string = copy(string), table = copy(table),
    escape = template.escape }
  for name, value in pairs(given or {}) do
    all[name] = value
  end
  return all
end

local Templates = {}
local meta = { __index = Templates, __name = "templates" }
template.methods = Templates

local function environment(self, context)
  local globals = self.globals
  return setmetatable({}, { __index = function(_, name)
    local value = context[name]
    if value == nil then
      value = globals[name]
    end
    return value
  end })
end

local run

local function include(self, context, depth, name, given)
  local made, err = self:get(name)
  if not made then
    error(err, 0)
  end
  return run(self, made, given or context, depth + 1)
end

-- A layout is another template, which finds the text in `view`.
function run(self, made, context, depth, blocks)
  if depth > DEPTH then
    error("templates: more than " .. DEPTH .. " within each other", 0)
  end
  blocks = blocks or {}
  local fn = setfenv(made(), environment(self, context))
  local text, layout = fn(template.escape, raw, function(name, given)
    return include(self, context, depth, name, given)
  end, table.concat, blocks)
  if layout == nil then
    return text
  end
  local outer, err = self:get(layout)
  if not outer then
    error(err, 0)
  end
  local within = setmetatable({ view = text }, { __index = context })
  return run(self, outer, within, depth + 1, blocks)
end

local function check_context(context, method)
  if context ~= nil and type(context) ~= "table" then
    core.bad_argument(context, "context", method, "a table")
  end
  return context or {}
end

local function read(self, name)
  local file, err, code = files.open(name, "r", { root = self.dir })
  if not file then
    return nil, err, code
  end
  local source
  source, err, code = file:read "*a"
  file:close()
  return source, err, code
end

local function get(self, name)
  local made = self.made[name]
  if made then
    return made
  end
  local source, err, code = read(self, name)
  if not source then
    return nil, err, code
  end
  made, err = compiler.compile(source, name)
  if not made then
    return nil, err, "EBADMSG"
  end
  self.made[name] = self.cache and made or nil
  return made
end

local OPTIONS = { globals = "table", cache = "boolean" }

--- A folder of templates. Compiled ones are kept.
-- @string dir names are looked up below it, and do not leave it
-- @tparam ?table opts `globals`: what every template has beside its context
-- and ipairs, pairs, next, select, tonumber, tostring, type, unpack, escape and
-- copies of math, string and table; `cache` (true): false reads a template each
-- time, while it is being written
-- @treturn Templates
function template.templates(dir, opts)
  if type(dir) ~= "string" then
    core.bad_argument(dir, "dir", "templates", "a string")
  end
  opts = options.check(opts, OPTIONS, "templates")
  return setmetatable({ dir = dir, globals = base(opts.globals), made = {},
    get = get, cache = opts.cache ~= false }, meta)
end

--- Reads and compiles a template, unless it is kept.
-- @string name its path below the folder
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "name: no such file or directory", "name:3: ..."
-- @treturn[2] string CODE: ENOENT, ..., EBADMSG (it does not compile)
function Templates:load(name)
  local made, err, code = get(self, name)
  if not made then
    return nil, err, code
  end
  return true
end

--- Fills a template in. What is wrong with it is raised, with its name and
-- line.
-- @string name its path below the folder
-- @tparam ?table context its variables
-- @treturn string
function Templates:render(name, context)
  context = check_context(context, "render")
  local made, err = get(self, name)
  if not made then
    raise(err)
  end
  return run(self, made, context, 1)
end

--- Forgets what is kept: changed files are read anew.
function Templates:clear()
  self.made = {}
end

--- Makes a template of a text; raises what is wrong with it.
-- @string source
-- @tparam ?table opts `globals` as templates'; `name` for errors ("template")
-- @treturn function (context) -> string
function template.template(source, opts)
  if type(source) ~= "string" then
    core.bad_argument(source, "source", "template", "a string")
  end
  opts = options.check(opts, { globals = "table", name = "string" },
    "template")
  local made, err = compiler.compile(source, opts.name or "template")
  if not made then
    raise(err)
  end
  local alone = { globals = base(opts.globals), get = function(_, name)
    return nil, tostring(name) .. ": there are no other templates"
  end }
  return function(context)
    return run(alone, made, check_context(context, "template"), 1)
  end
end

return template
