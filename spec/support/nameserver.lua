-- nameserver.lua: a name server on sockets of the spec's, whose every byte the
-- spec chooses; it runs as a task of the caller's.
--
--   local server = nameserver.start(function(query) return reply, ... end)
--   server.address   "127.0.0.1:PORT", UDP and TCP
--   server.asked     { { id=, name=, type=, tcp=, raw= }, ... }
--   server:stop()
--   nameserver.with(handler, function(server) ... end[, settings])
--   nameserver.says(60, "127.0.0.1")   a handler
--   nameserver.reply(query, { rcode=, tc=, id=, question=, answers = {
--       { name, "A", ttl, "127.0.0.1" }, ... }, authority = ... })
local helper = require "spec.helper"
local quoll = require "quoll"
local sockets = require "spec.support.sockets"
local ffi, C = helper.ffi, helper.C

local nameserver = {}

pcall(ffi.cdef, [[
    ssize_t recvfrom(int fd, void *buf, size_t size, int flags,
                     struct sockaddr *from, socklen_t *len);
    ssize_t sendto(int fd, const void *buf, size_t size, int flags,
                   const struct sockaddr *to, socklen_t len);
]])

local TYPES = { A = 1, NS = 2, CNAME = 5, SOA = 6, PTR = 12, MX = 15, TXT = 16,
    AAAA = 28, SRV = 33 }
local NAMES = {}
for name, number in pairs(TYPES) do
    NAMES[number] = name
end

local function number16(n)
    return string.char(math.floor(n / 256) % 256, n % 256)
end

local function number32(n)
    return number16(math.floor(n / 65536)) .. number16(n % 65536)
end

local function wire_name(name)
    return (name:gsub("([^.]+)%.?", function(label)
        return string.char(#label) .. label
    end)) .. "\0"
end

nameserver.wire_name, nameserver.number16 = wire_name, number16

local function wire_address(text)
    local form = text:find(":", 1, true) and "[%s]:0" or "%s:0"
    local addr = helper.address(form:format(text))
    if text:find(":", 1, true) then
        return ffi.string(addr.u.in6.sin6_addr, 16)
    end
    return ffi.string(addr.u["in"].sin_addr, 4)
end

local DATA = {
    A = wire_address,
    AAAA = wire_address,
    CNAME = wire_name,
    NS = wire_name,
    PTR = wire_name,
    MX = function(priority, host)
        return number16(priority) .. wire_name(host)
    end,
    SRV = function(priority, weight, port, host)
        return number16(priority) .. number16(weight) .. number16(port)
            .. wire_name(host)
    end,
    TXT = function(...)
        local text = ""
        for _, part in ipairs { ... } do
            text = text .. string.char(#part) .. part
        end
        return text
    end,
    SOA = function(minimum)
        return wire_name "ns.test" .. wire_name "admin.test" .. number32(1)
            .. number32(2) .. number32(3) .. number32(4) .. number32(minimum)
    end,
    raw = function(data) return data end,
}

local function wire_record(record)
    local name, kind, ttl = record[1], record[2], record[3]
    local data = (record.raw and DATA.raw or DATA[kind])(unpack(record, 4))
    return wire_name(name) .. number16(TYPES[kind] or kind) .. number16(1)
        .. number32(ttl) .. number16(record.length or #data) .. data
end

local function wire_records(records)
    local text = ""
    for _, record in ipairs(records or {}) do
        text = text .. wire_record(record)
    end
    return text, #(records or {})
end

function nameserver.reply(query, with)
    local answers, n = wire_records(with.answers)
    local authority, m = wire_records(with.authority)
    local question = with.question or query.name
    return number16(with.id or query.id)
        .. string.char(0x81 + (with.tc and 2 or 0), 0x80 + (with.rcode or 0))
        .. number16(1) .. number16(n) .. number16(m) .. number16(0)
        .. wire_name(question) .. number16(query.number) .. number16(1)
        .. answers .. authority
end

local function parse(raw, tcp, from)
    local id = raw:byte(1) * 256 + raw:byte(2)
    local labels, at = {}, 13
    while raw:byte(at) > 0 do
        local length = raw:byte(at)
        labels[#labels + 1] = raw:sub(at + 1, at + length)
        at = at + length + 1
    end
    local number = raw:byte(at + 1) * 256 + raw:byte(at + 2)
    return { id = id, name = table.concat(labels, "."), number = number,
        type = NAMES[number], tcp = tcp, from = from, raw = raw }
end

local function answer(server, raw, tcp, from)
    local query = parse(raw, tcp, from)
    server.asked[#server.asked + 1] = query
    return { server.handler(query) }
end

local function serve_udp(server)
    local buf = ffi.new("char[4096]")
    local from, len = ffi.new("ql_sockaddr_t"), ffi.new("socklen_t[1]")
    while quoll.waitfd(server.fd, "r") do
        len[0] = ffi.sizeof(from.u)
        local n = tonumber(ffi.C.recvfrom(server.fd, buf, 4096, 0, from.u.sa,
            len))
        from.len = len[0]
        if n > 0 then
            for _, packet in ipairs(answer(server, ffi.string(buf, n), nil,
                from)) do
                ffi.C.sendto(server.fd, packet, #packet, 0, from.u.sa, len[0])
            end
        end
    end
end

local function serve_tcp(server, conn)
    conn:settimeout(10)
    while true do
        local head = conn:receive(2)
        if not head then
            return
        end
        local raw = conn:receive(head:byte(1) * 256 + head:byte(2))
        for _, packet in ipairs(answer(server, raw, conn)) do
            conn:send(number16(#packet) .. packet)
        end
    end
end

-- A port that is free for both protocols.
local function bind(server)
    for _ = 1, 20 do
        local listener = assert(quoll.listen "127.0.0.1:0")
        local addr = helper.address(listener:address())
        local fd = sockets.socket(sockets.AF_INET, sockets.DATAGRAM)
        if ffi.C.bind(fd, addr.u.sa, addr.len) == 0 then
            sockets.nonblocking(fd)
            server.listener, server.fd = listener, fd
            server.address = listener:address()
            return
        end
        C.close(fd)
        listener:close()
    end
    error "no port is free for both UDP and TCP"
end

local Server = {}
Server.__index = Server

function nameserver.start(handler)
    local server = setmetatable({ asked = {}, handler = handler }, Server)
    bind(server)
    server.tasks = {
        quoll.spawn(serve_udp, server),
        quoll.spawn(server.listener.serve, server.listener, function(conn)
            serve_tcp(server, conn)
        end),
    }
    return server
end

function Server:stop()
    for _, task in ipairs(self.tasks) do
        task:cancel()
        task:wait()
    end
    self.listener:close()
    C.close(self.fd)
end

-- fn(server) in a task, with a server that answers by handler and is the only
-- one; no hosts file unless settings name one. Then everything is as before.
function nameserver.with(handler, fn, settings)
    local all = { tries = 1, timeout = 2, search = {}, check = 0,
        resolv_conf = "/nonexistent", hosts = "/nonexistent" }
    for name, value in pairs(settings or {}) do
        all[name] = value
    end
    quoll.run(function()
        local server = nameserver.start(handler)
        all.servers = settings and settings.servers or { server.address }
        quoll.dns.configure(all)
        local ok, err = xpcall(fn, debug.traceback, server)
        server:stop()
        for name in pairs(all) do
            all[name] = false
        end
        quoll.dns.configure(all)
        assert(ok, err)
    end)
end

-- A handler that answers each question with the one record.
function nameserver.says(ttl, ...)
    local data = { ... }
    return function(query)
        return nameserver.reply(query, { answers = {
            { query.name, query.type, ttl, unpack(data) } } })
    end
end

return nameserver
