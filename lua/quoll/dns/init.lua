--- Host names: addresses, records, and what a resolver keeps of them.
--
-- Names are looked up in the hosts file and with the name servers of
-- resolv.conf, both of which are read anew when they change. Answers are kept
-- as long as they say; whoever asks at the same time shares one question.
-- Every wait can be cancelled. quoll.connect resolves by itself.
--
-- Failures are `nil, err, CODE`: "host not found" ENOTFOUND, "no such records"
-- ENODATA, "timeout" TIMEOUT, "server failure" ESERVFAIL, "query refused"
-- EREFUSED, "no name server reachable" ENOSERVER, "malformed answer" EBADRESP,
-- "query not understood" EFORMERR, "query not supported" ENOTIMP, "bad host
-- name ..." EINVAL, "operation canceled" ECANCELED (asked before a fork).
--
-- Source: bindings/dns
-- @module quoll.dns

local core = require "quoll.core"
local options = require "quoll.options"

local raise, bad_argument = core.raise, core.bad_argument

local dns = {}

-- c-ares is loaded with the first use of a name.
local function resolver()
  return require "quoll.dns.resolver"
end

local TYPES = { A = true, AAAA = true, CNAME = true, MX = true, NS = true,
  PTR = true, SOA = true, SRV = true, TXT = true }
local RESOLVE = { family = "string", timeout = "number" }
local QUERY = { timeout = "number" }

local function check(name, opts, known, method)
  if type(name) ~= "string" then
    bad_argument(name, "name", method, "a string")
  end
  opts = options.check(opts, known, method)
  local timeout = opts.timeout
  options.check_timeout(timeout, method)
  return opts, timeout ~= math.huge and timeout or nil
end

--- The addresses of a host, best first (RFC 6724). A name with fewer dots than
-- `ndots` is tried with each domain of the search list, unless it ends in a
-- dot. localhost and what ends in .localhost is this machine.
-- @string name a host name, or an IP address, which is its own
-- @tparam ?table opts `family`: "inet" or "inet6", both by default; `timeout`:
-- seconds for all of it, default none but that of each try
-- @treturn[1] {string,...} IP addresses, one at least
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function dns.resolve(name, opts)
  local given, timeout = check(name, opts, RESOLVE, "resolve")
  local family = given.family
  if family ~= nil and family ~= "inet" and family ~= "inet6" then
    bad_argument(family, "family", "resolve", "'inet' or 'inet6'")
  end
  return resolver().resolve(name, family, timeout)
end

--- The records of a name, which is complete: no search list, no hosts file.
-- @string name
-- @string type "A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV" or "TXT"
-- @tparam ?table opts `timeout`: seconds
-- @treturn[1] {table,...} each with `name`, `type`, `ttl` (s left) and: A, AAAA
-- `address`; CNAME, NS, PTR `host`; MX `priority`, `host`; SRV `priority`,
-- `weight`, `port`, `host`; TXT `text`; SOA `host`, `mailbox`, `serial`,
-- `refresh`, `retry`, `expire`, `minimum`
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function dns.query(name, type, opts)
  local _, timeout = check(name, opts, QUERY, "query")
  if not TYPES[type] then
    raise(("bad argument 'type' to 'query' (no type '%s')"):format(
      tostring(type)))
  end
  return resolver().query(name, type, timeout)
end

--- The names of an address.
-- @string address an IP address
-- @tparam ?table opts `timeout`: seconds
-- @treturn[1] {string,...} host names, one at least
-- @treturn[2] nil
-- @treturn[2] string err
-- @treturn[2] string CODE
function dns.reverse(address, opts)
  local _, timeout = check(address, opts, QUERY, "reverse")
  return resolver().reverse(address, timeout)
end

--- Changes settings and forgets every answer. Those not named stay; false puts
-- a default back.
-- @tparam table settings `servers` ({"10.0.0.1", "[::1]:5353"}), `search`
-- (array of domains), `ndots`, `timeout` (s of a server's first try), `tries`
-- (of each server), `rotate`, `edns`: resolv.conf's by default;
-- `cache` (answers kept, 1000), `min_ttl` and `max_ttl` (s, 0 and 86400),
-- `negative_ttl` (s at most that a name is known not to exist, 300);
-- `resolv_conf` and `hosts` (paths), `check` (s between two looks at them, 1)
function dns.configure(settings)
  require("quoll.dns.settings").set(settings)
  resolver().configure()
end

--- Forgets every answer.
function dns.flush()
  resolver().flush()
end

--- Counters.
-- @treturn table `hits` and `misses` of the cache, its `entries` and how many
-- were `evicted`; `queries` sent, `shared` (who waited for another's), `failed`
-- (without an answer) and `cancelled` (nobody waited any more)
function dns.stats()
  return resolver().stats()
end

return dns
