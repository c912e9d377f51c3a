--- TLS: contexts, and TLS on connections.
--
-- Failures are `nil, err, CODE`: OpenSSL's reason in lower case, its name as
-- CODE ("certificate has expired", `CERT_HAS_EXPIRED`). Certificates are
-- verified unless `verify = false`. TLS 1.2 and 1.3 only.
--
-- Source: bindings/tls/, runtime/tls/
-- @module quoll.tls

local core = require "quoll.core"
local context = require "quoll.tls.context"
local handshake = require "quoll.tls.handshake"
local settings = require "quoll.tls.settings"

local Connection = core.methods.connection

local tls = {}

--- Makes a context, which any number of connections may share: certificates
-- are read and parsed once, and a client's sessions are resumed.
-- @tparam ?table opts those of `starttls` without server_name, session and
-- timeout
-- @treturn[1] Context for `starttls`, `connect` and `serve`
-- @treturn[2] nil
-- @treturn[2] string "cert: no start line", "path: no such file ...", ...
-- @treturn[2] string CODE
function tls.context(opts)
  return context.make(settings.check(opts, "context"), "context")
end

--- Puts TLS on the connection: everything that is received and sent from now on
-- is encrypted. A failure closes it. Bytes received before that nobody has read
-- are a failure ("unread bytes").
-- @tparam Context|table opts a context, or its options and these: `context`;
-- `server_name`: the name to ask for and to verify; `session`: of
-- `tlssession`, to resume; `timeout`: seconds of the handshake (10)
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string "certificate has expired", "timeout", ...
-- @treturn[2] string CODE
function Connection:starttls(opts)
  return handshake.start(self, opts, "")
end

--- What the handshake came to.
-- @treturn[1] table version, cipher, server_name, alpn, reused, verified,
-- ocsp_response, peer (subject, issuer, sans, not_before, not_after,
-- fingerprint)
-- @treturn[2] nil
-- @treturn[2] string "closed", "protocol not available": no TLS on it
-- @treturn[2] string CODE
function Connection:tlsinfo()
  return context.core().info(self)
end

--- The session, for `starttls`'s option of that name. With TLS 1.3 it comes
-- with the first bytes that are read.
-- @treturn[1] string
-- @treturn[2] nil
-- @treturn[2] string "no data available": none that can be resumed
-- @treturn[2] string CODE
function Connection:tlssession()
  return context.core().session(self)
end

return tls
