--- What resolv.conf and hosts say. They are read without blocking the loop,
-- and again when they have changed.
-- @module quoll.dns.files

local core = require "quoll.core"
local fs = require "quoll.fs"
local raw = require "quoll.core.dns"
local yield = require("quoll.task").yield

local now = core.now

local files = {}

local SLICE = 2000 -- lines parsed before others get on

-- Lines without comments; line(words) is called with each.
local function each_line(text, line)
  local n = 0
  for content in text:gmatch "[^\n]+" do
    local words = {}
    for word in content:gsub("[#;].*", ""):gmatch "%S+" do
      words[#words + 1] = word
    end
    line(words)
    n = n + 1
    if n % SLICE == 0 then
      yield()
    end
  end
end

local function add_option(conf, word)
  local name, value = word:match "^(%l+):(%d+)$"
  if name == "ndots" then
    conf.ndots = math.min(tonumber(value), 15)
  elseif name == "timeout" then
    conf.timeout = math.min(math.max(tonumber(value), 1), 30)
  elseif name == "attempts" then
    conf.tries = math.min(math.max(tonumber(value), 1), 5)
  elseif word == "rotate" then
    conf.rotate = true
  elseif word == "edns0" then
    conf.edns = true
  end
end

--- Parses resolv.conf.
-- @string text
-- @treturn table servers, search, ndots, timeout (s), tries, rotate, edns
function files.parse_conf(text)
  local conf = { servers = {}, search = {}, ndots = 1, timeout = 5, tries = 2,
    rotate = false, edns = false }
  each_line(text, function(words)
    local key = words[1]
    if key == "nameserver" and words[2] and raw.family(words[2]) then
      conf.servers[#conf.servers + 1] = words[2]
    elseif key == "search" or key == "domain" then
      conf.search = {}
      for i = 2, #words do
        conf.search[i - 1] = words[i]:lower():gsub("(.)%.$", "%1")
      end
    elseif key == "options" then
      for i = 2, #words do
        add_option(conf, words[i])
      end
    end
  end)
  if #conf.servers == 0 then
    conf.servers = { "127.0.0.1" }
  end
  return conf
end

--- Parses hosts.
-- @string text
-- @treturn table `names`: name -> addresses, `addresses`: packed -> names
function files.parse_hosts(text)
  local hosts = { names = {}, addresses = {} }
  local function add(of, key, value)
    of[key] = of[key] or {}
    table.insert(of[key], value)
  end
  each_line(text, function(words)
    local family, packed = raw.family(words[1] or "")
    for i = 2, family and #words or 1 do
      add(hosts.names, words[i]:lower(), words[1])
      add(hosts.addresses, packed, words[i])
    end
  end)
  return hosts
end

local Source = {}
Source.__index = Source

--- A file that is looked at again after some time.
-- @string path
-- @func parse text -> value; of a file that is not there, parse ""
-- @number every s between two looks
function files.source(path, parse, every)
  return setmetatable({ path = path, parse = parse, every = every,
    looked = -math.huge, version = 0 }, Source)
end

local function identity_of(path)
  local info, err, code = fs.stat(path)
  if not info then
    return code, err
  end
  return ("%s %s %s %.9f"):format(info.dev, info.ino, info.size, info.mtime),
    nil, info
end

--- Its value; `version` counts how often it has changed. What cannot be read
-- now leaves the value of before.
function Source:get()
  if self.value and now() - self.looked < self.every then
    return self.value
  end
  self.looked = now()
  local identity, _, info = identity_of(self.path)
  if self.value and identity == self.identity then
    return self.value
  end
  local text, err = "", nil
  if info then
    text, err = fs.readfile(self.path)
  end
  if text or not self.value then
    self.value = self.parse(text or "")
    self.identity = identity
    self.version = self.version + 1
  end
  if err then
    core.log("warn", err)
  end
  return self.value
end

return files
