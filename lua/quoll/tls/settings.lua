--- What a TLS context is made of: options checked, files read.
-- Files are read through quoll.fs, so that no disk holds the loop up.
-- @module quoll.tls.settings

local core = require "quoll.core"
local fs = require "quoll.fs"
local options = require "quoll.options"

local raise, bad_argument = core.raise, core.bad_argument

local settings = {}

local COMMON = {
  ca = "string",
  crl = "string",
  cert = "string",
  key = "string",
  password = "string",
  ciphers = "string",
  ciphersuites = "string",
  groups = "string",
  alpn = "table",
  min_version = "string",
  max_version = "string",
  keylog = true,
  server = "boolean",
}
local CLIENT = { verify = "boolean", ocsp = "boolean" }
local SERVER = {
  verify_client = "string",
  names = true,
  ticket_key = "string",
  ocsp_response = "string",
}

-- When a server wants a client's certificate.
local MODES = { optional = "if there is one", require = "always" }

-- Where systems keep the certificates that they trust.
local STORES = {
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
}

local function is_pem(text)
  return text:find("-----BEGIN", 1, true) ~= nil
end

local function read_directory(path)
  local entries, err, code = fs.readdir(path)
  if not entries then
    return nil, err, code
  end
  local parts = {}
  for name in entries do
    local text = fs.readfile(path .. "/" .. name)
    if text and is_pem(text) then
      parts[#parts + 1] = text
    end
  end
  return table.concat(parts, "\n")
end

-- The text of an option that is PEM itself or where it is.
local function pem(value)
  if value == nil or is_pem(value) then
    return value
  end
  local text, err, code = fs.readfile(value)
  if code == "EISDIR" then
    return read_directory(value)
  end
  return text, err, code
end

local function system_store()
  local own = os.getenv "SSL_CERT_FILE"
  if own and own ~= "" then
    return fs.readfile(own)
  end
  for _, path in ipairs(STORES) do
    local text = fs.readfile(path)
    if text then
      return text
    end
  end
  return nil, "no certificate store found", "ENOENT"
end

local function protocols(list)
  local wire = {}
  for i, name in ipairs(list) do
    wire[i] = string.char(#name) .. name
  end
  return wire[1] and table.concat(wire) or nil
end

local VERSIONS = { ["1.2"] = 2, ["1.3"] = 3 }

local function version(opts, name, default, method)
  local value = opts[name] or default
  if not VERSIONS[value] then
    bad_argument(value, name, method, "'1.2' or '1.3'")
  end
  return VERSIONS[value]
end

local function check_server(opts, method)
  local mode = opts.verify_client
  if mode and not MODES[mode] then
    bad_argument(mode, "verify_client", method, "'optional' or 'require'")
  elseif mode and not opts.ca then
    raise(("bad argument 'options' to '%s' (verify_client needs 'ca')")
      :format(method))
  elseif not opts.cert and not opts.names then
    raise(("bad argument 'options' to '%s' (a server needs 'cert')")
      :format(method))
  end
  if opts.ticket_key and #opts.ticket_key ~= 80 then
    raise(("bad argument 'ticket_key' to '%s' (80 bytes expected, got %d)")
      :format(method, #opts.ticket_key))
  end
  local names = type(opts.names)
  if opts.names and names ~= "table" and names ~= "function" then
    bad_argument(opts.names, "names", method, "a table or a function")
  end
end

local function check_alpn(opts, method)
  for _, name in ipairs(opts.alpn or {}) do
    if type(name) ~= "string" or #name < 1 or #name > 255 then
      bad_argument(name, "alpn", method, "names of 1 to 255 bytes")
    end
  end
end

local function check_keylog(opts, method)
  local kind = type(opts.keylog)
  if opts.keylog ~= nil and kind ~= "string" and kind ~= "function" then
    bad_argument(opts.keylog, "keylog", method, "a path or a function")
  end
end

--- A copy of what a server's context is made of.
function settings.for_server(opts)
  if type(opts) ~= "table" then
    return opts
  end
  local copy = {}
  for name, value in pairs(opts) do
    copy[name] = value
  end
  copy.server = true
  return copy
end

--- Checks options; raises at the caller's line.
-- @tparam ?table opts
-- @string method name of the function the script called
-- @tparam ?table more what is known beside the context's own
function settings.check(opts, method, more)
  local of = type(opts) == "table" and opts.server and SERVER or CLIENT
  opts = options.check(opts, options.union(COMMON, of, more or {}), method)
  if opts.server then
    check_server(opts, method)
  end
  if opts.key and not opts.cert then
    raise(("bad argument 'options' to '%s' ('key' without 'cert')")
      :format(method))
  end
  check_keylog(opts, method)
  check_alpn(opts, method)
  version(opts, "min_version", "1.2", method)
  version(opts, "max_version", "1.3", method)
  return opts
end

local function read_texts(opts, made)
  for _, name in ipairs { "cert", "key", "ca", "crl" } do
    local text, err, code = pem(opts[name])
    if err then
      return nil, err, code
    end
    made[name] = text
  end
  -- One file may hold both.
  made.key = made.key or made.cert
  if made.verify and not made.ca then
    local store, err, code = system_store()
    if not store then
      return nil, err, code
    end
    made.ca = store
  end
  return made
end

--- What core's `make` takes; reads the files that options name.
-- @tparam table opts checked
-- @string method name of the function the script called
-- @treturn[1] table
-- @treturn[2] nil
-- @treturn[2] string "path: no such file or directory", ...
-- @treturn[2] string CODE
function settings.read(opts, method)
  local made = {
    server = opts.server,
    verify = opts.verify_client ~= nil
      or not opts.server and opts.verify ~= false,
    demand = MODES[opts.verify_client] == "always",
    names = opts.names ~= nil,
    ocsp = opts.ocsp,
    keylog = opts.keylog ~= nil,
    min = version(opts, "min_version", "1.2", method),
    max = version(opts, "max_version", "1.3", method),
    alpn = opts.alpn and protocols(opts.alpn),
  }
  for _, name in ipairs { "password", "ciphers", "ciphersuites", "groups",
    "ticket_key", "ocsp_response" } do
    made[name] = opts[name]
  end
  return read_texts(opts, made)
end

return settings
