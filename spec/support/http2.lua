-- http2.lua: the client's side of HTTP/2, frame by frame: what nghttp2's own
-- client would never send, too. Heads are sent as literals; those of answers
-- are decoded by nghttp2's own decoder.
local bit = require "bit"
local ffi = require "ffi"

ffi.cdef [[
typedef struct nghttp2_hd_inflater nghttp2_hd_inflater;
typedef struct {
    uint8_t *name, *value;
    size_t namelen, valuelen;
    uint8_t flags;
} nghttp2_nv;
int nghttp2_hd_inflate_new(nghttp2_hd_inflater **to);
void nghttp2_hd_inflate_del(nghttp2_hd_inflater *inflater);
ssize_t nghttp2_hd_inflate_hd2(nghttp2_hd_inflater *inflater, nghttp2_nv *nv,
    int *flags, const uint8_t *in, size_t size, int in_final);
int nghttp2_hd_inflate_end_headers(nghttp2_hd_inflater *inflater);
]]

local http2 = {
    PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    DATA = 0, HEADERS = 1, PRIORITY = 2, RST_STREAM = 3, SETTINGS = 4,
    PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8, CONTINUATION = 9,
    END_STREAM = 1, END_HEADERS = 4,
    REFUSED_STREAM = 7, ENHANCE_YOUR_CALM = 11,
}

-- n as so many bytes, the highest first.
function http2.number(n, size)
    local bytes = {}
    for i = size, 1, -1 do
        bytes[i] = string.char(n % 256)
        n = math.floor(n / 256)
    end
    return table.concat(bytes)
end

local function value_of(bytes)
    local n = 0
    for i = 1, #bytes do
        n = n * 256 + bytes:byte(i)
    end
    return n
end

function http2.frame(kind, flags, id, payload)
    return http2.number(#payload, 3) .. string.char(kind, flags)
        .. http2.number(id, 4) .. payload
end

local function length(n)
    if n < 127 then
        return string.char(n)
    end
    local bytes = { string.char(127) }
    n = n - 127
    while n >= 128 do
        bytes[#bytes + 1] = string.char(n % 128 + 128)
        n = math.floor(n / 128)
    end
    return table.concat(bytes) .. string.char(n)
end

-- { name, value, ... } as literals.
function http2.block(fields)
    local parts = {}
    for i = 1, #fields, 2 do
        parts[#parts + 1] = "\0" .. length(#fields[i]) .. fields[i]
            .. length(#fields[i + 1]) .. fields[i + 1]
    end
    return table.concat(parts)
end

-- The head of a request as a block; more: { name, value, ... }
function http2.request(method, path, more)
    local fields = { ":method", method, ":scheme", "http",
        ":authority", "Local.Host:80", ":path", path }
    for _, word in ipairs(more or {}) do
        fields[#fields + 1] = word
    end
    return http2.block(fields)
end

-- A request without a body.
function http2.get(id, path, more)
    return http2.frame(http2.HEADERS, http2.END_STREAM + http2.END_HEADERS, id,
        http2.request("GET", path, more))
end

-- The head of one with a body.
function http2.post(id, path, more)
    return http2.frame(http2.HEADERS, http2.END_HEADERS, id,
        http2.request("POST", path, more))
end

function http2.hello(settings)
    return http2.PREFACE .. http2.frame(http2.SETTINGS, 0, 0, settings or "")
end

-- Settings with an initial window of so many bytes.
function http2.window(n)
    return http2.number(4, 2) .. http2.number(n, 4)
end

local Reader = {}
Reader.__index = Reader

-- Takes frames apart, in the order in which they were sent.
function http2.reader()
    local inflater = ffi.new "nghttp2_hd_inflater *[1]"
    local lib = ffi.load "libnghttp2.so.14"
    assert(lib.nghttp2_hd_inflate_new(inflater) == 0)
    return setmetatable({
        lib = lib, rest = "",
        inflater = ffi.gc(inflater[0], lib.nghttp2_hd_inflate_del),
    }, Reader)
end

local function decode(self, block)
    local nv, flags = ffi.new "nghttp2_nv", ffi.new "int[1]"
    local at, left, fields = ffi.cast("const uint8_t *", block), #block, {}
    repeat
        flags[0] = 0
        local n = self.lib.nghttp2_hd_inflate_hd2(self.inflater, nv, flags, at,
            left, 1)
        assert(n >= 0, "bad block")
        at, left = at + n, left - tonumber(n)
        if bit.band(flags[0], 2) ~= 0 then
            fields[ffi.string(nv.name, nv.namelen)] =
                ffi.string(nv.value, nv.valuelen)
        end
    until bit.band(flags[0], 1) ~= 0
    self.lib.nghttp2_hd_inflate_end_headers(self.inflater)
    return fields
end

-- The next whole frame: kind, flags, id, payload; fields of a head; code of a
-- RST_STREAM or GOAWAY. nil: there is none yet.
function Reader:frame()
    local rest = self.rest
    local size = #rest >= 9 and value_of(rest:sub(1, 3))
    if not size or #rest < 9 + size then
        return nil
    end
    self.rest = rest:sub(10 + size)
    local frame = {
        kind = rest:byte(4), flags = rest:byte(5),
        id = value_of(rest:sub(6, 9)), payload = rest:sub(10, 9 + size),
    }
    if frame.kind == http2.HEADERS then
        frame.fields = decode(self, frame.payload)
    elseif frame.kind == http2.RST_STREAM then
        frame.code = value_of(frame.payload)
    elseif frame.kind == http2.GOAWAY then
        frame.code = value_of(frame.payload:sub(5, 8))
    end
    frame.last = bit.band(frame.flags, http2.END_STREAM) ~= 0
    return frame
end

-- All whole frames of what came.
function Reader:frames(bytes)
    self.rest = self.rest .. (bytes or "")
    local list = {}
    for frame in function() return self:frame() end do
        list[#list + 1] = frame
    end
    return list
end

-- Of a list, those of a kind.
function http2.only(kind, list)
    local found = {}
    for _, frame in ipairs(list) do
        if frame.kind == kind then
            found[#found + 1] = frame
        end
    end
    return found
end

local Client = {}
Client.__index = Client

-- A client on a connection, which has said hello. With settings of its own it
-- opens no window.
function http2.client(conn, settings)
    assert(conn:send(http2.hello(settings)))
    return setmetatable({ conn = conn, greedy = not settings,
        reader = http2.reader(), answers = {}, seen = {} }, Client)
end

function Client:say(...)
    assert(self.conn:send { ... })
end

local function note(self, frame)
    self.seen[#self.seen + 1] = frame
    if frame.kind == http2.SETTINGS and frame.flags == 0 then
        self:say(http2.frame(http2.SETTINGS, 1, 0, ""))
    end
    local answer = self.answers[frame.id] or { body = "" }
    self.answers[frame.id] = answer
    if frame.kind == http2.HEADERS then
        answer.status = tonumber(frame.fields[":status"])
        answer.fields = frame.fields
    elseif frame.kind == http2.DATA then
        answer.body = answer.body .. frame.payload
        local n = http2.number(#frame.payload, 4)
        if self.greedy and #frame.payload > 0 then
            self:say(http2.frame(http2.WINDOW_UPDATE, 0, 0, n),
                http2.frame(http2.WINDOW_UPDATE, 0, frame.id, n))
        end
    elseif frame.kind == http2.RST_STREAM then
        answer.reset = frame.code
    end
    answer.last = answer.last or frame.last and frame.kind < 2
end

-- Reads until done() is true; false: the server has closed.
function Client:read(done)
    while not done() do
        local data = self.conn:receiveany(65536)
        if not data then
            return false
        end
        for _, frame in ipairs(self.reader:frames(data)) do
            note(self, frame)
        end
    end
    return true
end

-- What has come on a stream once it is complete: status, fields, body, reset.
function Client:hear(id)
    self:read(function()
        local answer = self.answers[id]
        return answer and (answer.last or answer.reset)
    end)
    return self.answers[id]
end

-- The first frame of a kind; nil: the server has closed before.
function Client:await(kind)
    local found
    self:read(function()
        found = http2.only(kind, self.seen)[1]
        return found
    end)
    return found
end

return http2
