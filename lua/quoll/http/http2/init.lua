--- How a connection of `quoll.http.serve` comes to speak HTTP/2: by ALPN, or
-- because the client begins with its preface.
-- @module quoll.http.http2

local core = require "quoll.core"
local raw = require "quoll.http.core"

local http2 = {}

local built -- whether this build has it; nil: not known yet

local function is_built()
  if built == nil then
    built = pcall(require, "quoll.http.http2.core")
  end
  return built
end

--- What the option `http2` comes to: by default what the build has.
-- @tparam ?boolean option
-- @treturn boolean
function http2.wanted(option)
  if option and not is_built() then
    core.raise "built without QL_HTTP2"
  end
  return option ~= false and is_built()
end

--- Options of TLS that offer it, unless they say what is offered. A context is
-- as it is.
-- @tparam table|Context tls
-- @treturn table|Context
function http2.offer(tls)
  if type(tls) ~= "table" or getmetatable(tls) or tls.alpn then
    return tls
  end
  local copy = { alpn = { "h2", "http/1.1" } }
  for name, value in pairs(tls) do
    copy[name] = value
  end
  return copy
end

local function serve(conn, handler, settings)
  require("quoll.http.http2.connection").serve(conn, handler, settings)
end

--- Serves a connection whose client has begun to speak it.
function http2.take(conn, handler, settings)
  if raw.hijack(conn) then
    serve(conn, handler, settings)
  end
end

--- fn(conn), or HTTP/2 where the handshake has chosen it.
-- @treturn function
function http2.chosen(fn, handler, settings)
  return function(conn)
    local info = conn:tlsinfo()
    if info and info.alpn == "h2" then
      return serve(conn, handler, settings)
    end
    return fn(conn)
  end
end

return http2
