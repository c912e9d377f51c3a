-- certs.lua: certificates for specs of TLS, made by the openssl command in a
-- folder that goes when the process ends. Keys are on P-256, which is quick.
local certs = {}

local CONFIG = [[
[ca]
default_ca = main
[main]
dir = %s
database = $dir/%s.index
new_certs_dir = $dir
serial = $dir/%s.serial
certificate = $dir/%s.pem
private_key = $dir/%s.key
default_md = sha256
default_days = 30
default_crl_days = 30
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
]]

local folder
local made = {}

local function write(path, text)
    local file = assert(io.open(path, "w"))
    assert(file:write(text))
    file:close()
end

function certs.read(path)
    local file = assert(io.open(path))
    local text = file:read("*a")
    file:close()
    return text
end

local function run(command)
    local full = ("cd %s && { %s ; } >log 2>&1"):format(folder, command)
    if os.execute(full) ~= 0 then
        error(command .. "\n" .. certs.read(folder .. "/log"), 0)
    end
end

local sweeper

function certs.folder()
    if not folder then
        folder = os.tmpname()
        os.remove(folder)
        assert(os.execute("mkdir -m 700 " .. folder) == 0)
        sweeper = newproxy(true)
        getmetatable(sweeper).__gc = function()
            os.execute("rm -rf " .. folder)
        end
    end
    return folder
end

local function files(name)
    local path = certs.folder() .. "/" .. name
    return { name = name, cert = path .. ".pem", key = path .. ".key" }
end

local function begin_authority(name)
    local dir = certs.folder()
    write(("%s/%s.index"):format(dir, name), "")
    write(("%s/%s.serial"):format(dir, name), "1000\n")
    write(("%s/%s.cnf"):format(dir, name),
        CONFIG:format(dir, name, name, name, name))
end

local KEY = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"

-- An authority of its own: { cert = path, key = path }.
function certs.authority(name)
    if not made[name] then
        begin_authority(name)
        run(("openssl req -x509 -new %s -keyout %s.key -out %s.pem -days 30 "
            .. "-subj '/CN=%s' -addext keyUsage=keyCertSign,cRLSign"):format(
            KEY, name, name, name))
        made[name] = files(name)
    end
    return made[name]
end

-- A certificate; opts: san (of localhost), issuer ("ca"), from and to
-- ("YYMMDDHHMMSSZ"), key (arguments of openssl req), ca (it may issue too).
function certs.issue(name, opts)
    if made[name] then
        return made[name]
    end
    opts = opts or {}
    local issuer = opts.issuer or "ca"
    if not made[issuer] then
        certs.authority(issuer)
    end
    local extra = opts.ca and "-addext basicConstraints=critical,CA:true" or ""
    run(("openssl req -new %s -keyout %s.key -out %s.csr -subj '/CN=%s' "
        .. "-addext 'subjectAltName=%s' %s"):format(opts.key or KEY, name,
        name, name, opts.san or "DNS:localhost,IP:127.0.0.1", extra))
    run(("openssl ca -batch -notext -config %s.cnf -in %s.csr -out %s.pem "
        .. "%s %s"):format(issuer, name, name,
        opts.from and "-startdate " .. opts.from or "",
        opts.to and "-enddate " .. opts.to or ""))
    if opts.ca then
        begin_authority(name)
    end
    made[name] = files(name)
    return made[name]
end

-- One that nobody has signed but itself.
function certs.selfsigned(name)
    if not made[name] then
        certs.folder()
        run(("openssl req -x509 -new %s -keyout %s.key -out %s.pem -days 30 "
            .. "-subj '/CN=%s' -addext "
            .. "subjectAltName=DNS:localhost,IP:127.0.0.1"):format(KEY, name,
            name, name))
        made[name] = files(name)
    end
    return made[name]
end

-- The path of issuer's list of what it has revoked, name among it.
function certs.revoke(name, issuer)
    run(("openssl ca -config %s.cnf -revoke %s.pem && openssl ca -config "
        .. "%s.cnf -gencrl -out %s.crl"):format(issuer, name, issuer, issuer))
    return ("%s/%s.crl"):format(folder, issuer)
end

certs.run = function(command)
    certs.folder()
    run(command)
end

return certs
