-- An echo server that speaks TLS, and a client of its own.
--
--   luajit examples/tls_echo.lua [address [cert.pem key.pem]]
--   openssl s_client -connect 127.0.0.1:PORT
--
-- Without a certificate it makes one for "localhost" with the openssl command,
-- as openssl is at hand where its library is. A server in earnest has one that
-- an authority has signed; its clients then need no `ca`.

local quoll = require "quoll"

local address, cert, key = arg[1] or "127.0.0.1:7443", arg[2], arg[3]

local function make_certificate()
  local path = os.tmpname()
  local command = "openssl req -x509 -newkey ec -pkeyopt "
    .. "ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost "
    .. "-addext subjectAltName=DNS:localhost -keyout %s -out %s.pem "
    .. "2>/dev/null && cat %s.pem >>%s && rm %s.pem"
  assert(os.execute(command:gsub("%%s", path)) == 0, "openssl failed")
  local text = assert(quoll.fs.readfile(path))
  os.remove(path)
  return text
end

cert = cert or make_certificate()

local function echo(conn)
  local tls = conn:tlsinfo()
  conn:send { "hello, this is ", tls.version, "\n" }
  for line in conn:lines() do
    conn:send { line, "\n" }
  end
end

-- What a client sees that trusts this certificate and no other.
local function try(where)
  local conn = assert(quoll.connect(where, {
    timeout = 5,
    tls = { ca = cert, server_name = "localhost" },
  }))
  conn:settimeout(5)
  print((assert(conn:receive())))
  io.stdout:flush()
  conn:close()
end

quoll.run(function()
  local listener = assert(quoll.listen(address))
  print("listening on " .. listener:address())
  io.stdout:flush()
  if not arg[2] then
    quoll.spawn(try, listener:address())
  end
  listener:serve(echo, { tls = { cert = cert, key = key } })
end)

print("stopped")
