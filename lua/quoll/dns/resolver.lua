--- Names to addresses and records: hosts, the cache, and name servers.
-- @module quoll.dns.resolver

local core = require "quoll.core"
local found, raw = pcall(require, "quoll.core.dns")
if not found then
  error("quoll.dns: built without QL_DNS, or " .. raw, 0)
end
local finish = require("quoll.wait").finish
local cache = require "quoll.dns.cache"
local files = require "quoll.dns.files"
local message = require "quoll.dns.message"
local names = require "quoll.dns.names"
local settings = require "quoll.dns.settings"

local now = core.now

local resolver = {}

local ADDRESSES = 64 -- of one family: more are an attack
local WORDS = {
  ENOTFOUND = "host not found",
  ENODATA = "no such records",
  ESERVFAIL = "server failure",
  EREFUSED = "query refused",
  EFORMERR = "query not understood",
  ENOTIMP = "query not supported",
  EBADRESP = "malformed answer",
  ENOSERVER = "no name server reachable",
  TIMEOUT = "timeout",
  ECANCELED = "operation canceled",
  ENOMEM = "cannot allocate memory",
}

-- The state: sources of settings, what they made, and answers.
local state = { answers = cache.new(settings.own.cache), counts = {} }

local function failure(code)
  return nil, WORDS[code], code
end

local function add_counts(channel)
  local counts = state.counts
  for i, value in ipairs { raw.stats(channel) } do
    counts[i] = (counts[i] or 0) + value
  end
end

--- Takes new settings; what is under way goes on with the old ones.
function resolver.configure()
  local own = settings.own
  if state.channel then
    add_counts(state.channel)
  end
  state.channel, state.conf = nil, nil
  state.resolv_conf = files.source(own.resolv_conf, files.parse_conf, own.check)
  state.hosts = files.source(own.hosts, files.parse_hosts, own.check)
  state.answers.max = own.cache
  state.answers:flush()
end

-- The settings as they are now. A change of resolv.conf is a new channel, and
-- answers from elsewhere.
local function current()
  local source = state.resolv_conf
  local given = source:get()
  if source ~= state.resolv_conf then -- configured while we read
    return current()
  end
  if not state.conf or state.version ~= source.version then
    if state.channel then
      add_counts(state.channel)
    end
    state.conf, state.version = settings.merge(given), source.version
    local conf = state.conf
    state.channel = raw.new(settings.join_servers(conf.servers), conf.timeout,
      conf.tries, conf.rotate, conf.edns)
    state.answers:flush()
  end
  return state.conf
end

-- What is kept of a server's answer.
local function learn(name, kind, text, code)
  local entry, ttl = message.entry(text, code, name, kind)
  local own = settings.own
  if ttl and entry.code then
    ttl = math.min(ttl, own.negative_ttl)
  elseif ttl then
    ttl = math.min(math.max(ttl, own.min_ttl), own.max_ttl)
  end
  if ttl and ttl > 0 then
    entry.expires = now() + ttl
    state.answers:put(kind .. " " .. name, entry)
  end
  return entry
end

-- The entries of name for the kinds that the cache does not have.
local function ask_servers(name, kinds, deadline, entries)
  local left = deadline and math.max(deadline - now(), 0)
  local answers = state.answers
  local results = { finish(raw.query(state.channel, name, left,
    unpack(kinds))) }
  if not results[1] and results[1] == nil then
    return nil, results[2], results[3]
  end
  for i, kind in ipairs(kinds) do
    local text, code = results[2 * i - 1], results[2 * i]
    -- Others that shared the flight may have been here before.
    local known = text and answers.entries[kind .. " " .. name]
    entries[kind] = known or learn(name, kind, text, code)
  end
  return entries
end

local function ask(name, kinds, deadline)
  local entries, missing = {}, {}
  for _, kind in ipairs(kinds) do
    entries[kind] = state.answers:get(kind .. " " .. name, now())
    if not entries[kind] then
      missing[#missing + 1] = kind
    end
  end
  if #missing == 0 then
    return entries
  end
  return ask_servers(name, missing, deadline, entries)
end

-- ---------------------------------------------------------------- names ----

local KINDS = { inet = { "A" }, inet6 = { "AAAA" } }
local BOTH = { "A", "AAAA" }

local function of_family(addresses, family)
  local list = {}
  for _, address in ipairs(addresses) do
    if not family or raw.family(address) == family then
      list[#list + 1] = address
    end
  end
  return list
end

-- Of one complete name: its addresses, or {} and the code of why there is
-- none; nil, err, CODE when the wait has ended.
local function addresses_of(name, kinds, deadline)
  local entries, err, code = ask(name, kinds, deadline)
  if not entries then
    return nil, err, code
  end
  local list, why = {}, nil
  for _, kind in ipairs(kinds) do
    local entry = entries[kind]
    for i = 1, math.min(#entry, ADDRESSES) do
      list[#list + 1] = entry[i].address
    end
    if entry.code and (not why or why == "ENODATA" or why == "ENOTFOUND") then
      why = entry.code
    end
  end
  return list, why
end

-- The same of both families, as early(ask) says when, unless both are known.
local function early_addresses(name, deadline, early)
  local answers, moment = state.answers, now()
  if answers:get("A " .. name, moment)
    and answers:get("AAAA " .. name, moment) then
    return addresses_of(name, BOTH, deadline)
  end
  return early(function(family)
    return addresses_of(name, KINDS[family], deadline)
  end)
end

local function search(name, complete, family, deadline, early)
  local kinds = family and KINDS[family] or BOTH
  local worst = "ENOTFOUND"
  for _, candidate in ipairs(names.candidates(name, complete, state.conf)) do
    local list, why, code
    if early then
      list, why, code = early_addresses(candidate, deadline, early)
    else
      list, why, code = addresses_of(candidate, kinds, deadline)
    end
    if not list then
      return nil, why, code
    elseif #list > 0 then
      raw.sort(list)
      return list
    elseif why == "TIMEOUT" or why == "ENOSERVER" then
      return failure(why)
    elseif why ~= "ENODATA" and why ~= "ENOTFOUND" then
      worst = why
    end
  end
  return failure(worst)
end

--- See quoll.dns.resolve. early: what quoll.dns.early has in place of a family.
function resolver.resolve(text, family, timeout, early)
  local deadline = timeout and now() + timeout
  if raw.family(text) then
    local list = of_family({ text }, family)
    if #list == 0 then
      return failure "ENOTFOUND"
    end
    return list
  end
  local name, complete, code = names.check(text)
  if not name then
    return nil, complete, code
  elseif names.is_localhost(name) then
    return of_family({ "127.0.0.1", "::1" }, family)
  elseif names.is_invalid(name) then
    return failure "ENOTFOUND"
  end
  current()
  local hosts = of_family(state.hosts:get().names[name] or {}, family)
  if #hosts > 0 then
    raw.sort(hosts)
    return hosts
  end
  return search(name, complete, family, deadline, early)
end

--- See quoll.dns.query.
function resolver.query(text, kind, timeout)
  local deadline = timeout and now() + timeout
  local name, err, code = names.check(text)
  if not name then
    return nil, err, code
  elseif names.is_localhost(name) then
    return failure "ENODATA"
  end
  current()
  local entries
  entries, err, code = ask(name, { kind }, deadline)
  if not entries then
    return nil, err, code
  elseif entries[kind].code then
    return failure(entries[kind].code)
  end
  return message.copy(entries[kind], now())
end

--- See quoll.dns.reverse.
function resolver.reverse(address, timeout)
  local family, packed = raw.family(address)
  if not family then
    return nil, ("bad IP address '%s'"):format(address), "EINVAL"
  end
  current()
  local hosts = state.hosts:get().addresses[packed]
  if hosts then
    return { unpack(hosts) }
  end
  local records, err, code = resolver.query(names.arpa(family, packed), "PTR",
    timeout)
  if not records and code == "ENODATA" then
    return failure "ENOTFOUND"
  elseif not records then
    return nil, err, code
  end
  local list = {}
  for i, record in ipairs(records) do
    list[i] = record.host
  end
  return list
end

--- See quoll.dns.flush.
function resolver.flush()
  state.answers:flush()
end

--- See quoll.dns.stats.
function resolver.stats()
  local answers, counts = state.answers, { unpack(state.counts) }
  local live = state.channel and { raw.stats(state.channel) } or {}
  for i, value in ipairs(live) do
    counts[i] = (counts[i] or 0) + value
  end
  return {
    hits = answers.hits, misses = answers.misses, entries = answers.count,
    evicted = answers.evicted, queries = counts[1] or 0,
    shared = counts[2] or 0, failed = counts[3] or 0,
    cancelled = counts[4] or 0,
  }
end

resolver.configure()

return resolver
