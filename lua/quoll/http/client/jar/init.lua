--- Cookie jars: what servers have set, for the requests that follow.
-- @module quoll.http.client.jar

local content = require "quoll.fs.content"
local cookie = require "quoll.http.client.jar.cookie"
local core = require "quoll.core"
local options = require "quoll.options"
local suffixes = require "quoll.http.client.jar.suffixes"
local url = require "quoll.http.client.url"

local jar = {}

local Jar = {}
local meta = { __index = Jar, __name = "cookie jar" }

local JAR = { max = "number", per_domain = "number" }
local HEAD = "# Netscape HTTP Cookie File\n"

local function drop(self, domain, i)
  local list = self.domains[domain]
  table.remove(list, i)
  self.count = self.count - 1
  if not list[1] then
    self.domains[domain] = nil
  end
end

local function find(list, made)
  for i, other in ipairs(list) do
    if other.name == made.name and other.path == made.path
      and other.hostonly == made.hostonly then
      return i
    end
  end
end

-- Takes away those of a domain whose time is over.
local function sweep(self, domain, now)
  local list = self.domains[domain]
  for i = #list, 1, -1 do
    if cookie.expired(list[i], now) then
      drop(self, domain, i)
    end
  end
end

-- Takes away the oldest of a domain.
local function evict(self, domain)
  local list, oldest = self.domains[domain], 1
  for i, made in ipairs(list) do
    if made.number < list[oldest].number then
      oldest = i
    end
  end
  drop(self, domain, oldest)
end

-- The domain that has had nothing new for the longest time loses one.
local function make_room(self, now)
  for domain in pairs(self.domains) do
    sweep(self, domain, now)
  end
  local oldest
  for domain, list in pairs(self.domains) do
    local newest = list[#list].number
    if not oldest or newest < oldest.number then
      oldest = { domain = domain, number = newest }
    end
  end
  if self.count >= self.max then
    evict(self, oldest.domain)
  end
end

-- Another one of the same name takes the place and the age of the first.
local function store(self, made, now)
  local list = self.domains[made.domain] or {}
  local i = find(list, made)
  if i then
    made.created, made.number = list[i].created, list[i].number
    list[i] = made
  elseif not cookie.expired(made, now) then
    if self.count >= self.max then
      make_room(self, now)
    end
    self.number = self.number + 1
    made.number = self.number
    list = self.domains[made.domain] or {}
    self.domains[made.domain] = list
    list[#list + 1] = made
    self.count = self.count + 1
  end
  if self.domains[made.domain] then
    sweep(self, made.domain, now)
  end
  list = self.domains[made.domain]
  if list and #list > self.per_domain then
    evict(self, made.domain)
  end
end

local function parsed(text, method)
  local to, why = url.parse(text)
  if not to then
    core.raise(("bad argument 'url' to '%s' (%s)"):format(method, why))
  end
  return to
end

--- Makes a cookie jar. It reads the system's list of public suffixes, when it
-- is the first.
-- @tparam ?table opts `max` cookies (3000), `per_domain` (50): more take the
-- place of the oldest
-- @treturn Jar
function jar.jar(opts)
  opts = options.check(opts, JAR, "jar")
  return setmetatable({ domains = {}, count = 0, number = 0,
    max = opts.max or 3000, per_domain = opts.per_domain or 50,
    suffixes = suffixes.list() }, meta)
end

--- Whether something is a jar.
function jar.is(value)
  return getmetatable(value) == meta
end

--- Takes a cookie as a server has set it.
-- @function Jar:set
-- @tparam string|table url of the answer
-- @string line what a Set-Cookie field said
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string why it was refused
function Jar:set(from, line)
  local now = core.time()
  local made, why = cookie.parse(line,
    type(from) == "table" and from or parsed(from, "set"), now, self.suffixes)
  if not made then
    return nil, why
  end
  store(self, made, now)
  return true
end

local function before(a, b)
  if #a.path ~= #b.path then
    return #a.path > #b.path
  end
  return a.number < b.number
end

--- What goes with a request.
-- @function Jar:get
-- @tparam string|table url its URL
-- @treturn ?string the Cookie field: "a=1; b=2"; nil: none
function Jar:get(to)
  local now, found = core.time(), {}
  to = type(to) == "table" and to or parsed(to, "get")
  local domain = to.host
  repeat
    for _, made in ipairs(self.domains[domain] or {}) do
      if cookie.applies(made, to, now) then
        found[#found + 1] = made
      end
    end
    domain = domain:match "^[^.]*%.(.+)$"
  until not domain
  table.sort(found, before)
  for i, made in ipairs(found) do
    found[i] = made.name .. "=" .. made.value
  end
  return found[1] and table.concat(found, "; ")
end

--- Every cookie there is.
-- @treturn {table,...} copies: name, value, domain, path, expires, hostonly,
-- secure, httponly
function Jar:cookies()
  local all, now = {}, core.time()
  for _, list in pairs(self.domains) do
    for _, made in ipairs(list) do
      local copy = {}
      for name, value in pairs(made) do
        copy[name] = value
      end
      all[#all + 1] = not cookie.expired(made, now) and copy or nil
    end
  end
  table.sort(all, function(a, b) return a.number < b.number end)
  return all
end

--- Forgets the cookies of a domain, or all.
-- @string[opt] domain
function Jar:clear(domain)
  if domain then
    self.count = self.count - #(self.domains[domain] or {})
    self.domains[domain] = nil
  else
    self.domains, self.count = {}, 0
  end
end

--- Writes a file of all of them, in the format that curl and wget know; only
-- who owns it may read it.
-- @string path
-- @treturn boolean true, or nil, "path: ...", CODE
function Jar:save(path)
  local lines = { HEAD }
  for _, made in ipairs(self:cookies()) do
    lines[#lines + 1] = cookie.write(made) .. "\n"
  end
  return content.writefile(path, lines, { permissions = 384 })
end

--- Takes the cookies of such a file. What is no cookie in it is left out.
-- @string path
-- @treturn int how many, or nil, "path: ...", CODE
function Jar:load(path)
  local text, err, code = content.readfile(path)
  if not text then
    return nil, err, code
  end
  local now, n = core.time(), 0
  for line in text:gmatch "[^\n]+" do
    local made = cookie.read(line, now)
    if made and not cookie.expired(made, now) then
      store(self, made, now)
      n = n + 1
    end
  end
  return n
end

jar.methods = Jar

return jar
