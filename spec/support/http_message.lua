-- http_message.lua: HTTP messages through runtime/http, cut wherever a spec
-- likes. Each look at the bytes is at a copy of its own size, so that a read
-- beyond them is seen by AddressSanitizer.
local native = require "spec.support.native"

local ffi = require "ffi"
local lib = ffi.load(native.build .. "/lib/libquoll-http-test.so")
local C = native.C

local http = { lib = lib }

local LIMITS = { line = 8192, head = 32768, fields = 100 }

local function limits_of(opts)
    local limits = ffi.new("ql_http_limits_t")
    for name, value in pairs(LIMITS) do
        limits[name] = opts[name] or value
    end
    return limits
end

local function copy(text)
    local data = ffi.new("char[?]", math.max(#text, 1))
    ffi.copy(data, text, #text)
    return data
end

local function sub(text, span)
    return text:sub(span.at + 1, span.at + span.size)
end

local function fields_of(m, text, from, to)
    local list = {}
    for i = from, to - 1 do
        local field = m.fields[i]
        list[#list + 1] = sub(text, field.name) .. "=" .. sub(text, field.value)
    end
    return list
end

local bits = { "keep_alive", "chunked", "has_length", "until_eof", "expect",
    "upgrade", "absolute", "secure" }

local function describe_head(m, text)
    local found = {
        method = m.kind == 0 and text:sub(m.begin + 1, m.target.at - 1) or nil,
        status = tonumber(m.status), minor = tonumber(m.minor),
        target = sub(text, m.target), path = sub(text, m.path),
        query = sub(text, m.query), host = sub(text, m.host),
        reason = sub(text, m.reason), length = tonumber(m.length),
        fields = fields_of(m, text, 0, m.count), size = tonumber(m.size),
    }
    for _, name in ipairs(bits) do
        found[name] = m[name] == 1
    end
    return found
end

local function refused(m, found)
    found = found or {}
    found.error, found.why = tonumber(m.error), ffi.string(m.why)
    return found
end

-- What has come is given whole each time, as a connection's buffer has it.
local function head(m, text, cuts)
    for _, n in ipairs(cuts) do
        local rc = lib.ql_http_head(m, copy(text:sub(1, n)), n)
        if rc == C.NGX_ERROR then
            return nil, refused(m)
        elseif rc == C.NGX_OK then
            return n, describe_head(m, text)
        end
    end
    return nil, { more = true }
end

-- One look at what has come and is not used: rc, used.
local function look(m, text, at, n, pieces)
    local used = ffi.new("uint32_t[1]")
    local piece = ffi.new("ql_http_span_t")
    local rest = text:sub(at + 1, n)
    local rc = lib.ql_http_body(m, copy(rest), #rest, used, piece)
    if piece.size > 0 then
        pieces[#pieces + 1] = sub(rest, piece)
    end
    return rc, tonumber(used[0]), rest
end

local function body(m, text, first, cuts, found)
    local at, pieces = found.size, {}
    for _, n in ipairs(cuts) do
        local rc = n < first and C.NGX_AGAIN or C.NGX_OK
        while rc == C.NGX_OK do
            local used, rest
            rc, used, rest = look(m, text, at, n, pieces)
            at = at + used
            found.body = table.concat(pieces)
            if rc == C.NGX_ERROR then
                return refused(m, found)
            elseif rc == C.NGX_DONE then
                found.trailers = fields_of(m, rest, m.count,
                    m.count + m.trailers)
                found.rest = text:sub(at + 1)
                return found
            end
        end
    end
    if lib.ql_http_eof(m) == C.NGX_OK then
        return found
    end
    return refused(m, found)
end

-- kind: "request" or "response"; cuts: how many bytes have come at each look.
-- opts: line, head, fields, bodyless, block.
-- The message as a table: error and why, more, or what it is, with its body.
function http.parse(kind, text, opts, cuts)
    opts = opts or {}
    local m = ffi.new("ql_http_message_t")
    local limits = limits_of(opts)
    cuts = cuts or { #text }
    lib.ql_http_message_init(m, kind == "request" and 0 or 1, limits)
    m.block = opts.block
    if opts.bodyless then
        lib.ql_http_message_bodyless(m)
    end
    local n, found = head(m, text, cuts)
    if n then
        found = body(m, text, n, cuts, found)
    end
    return found
end

-- Calls each(cuts, text of them): one byte at a time, and in two at any byte.
function http.each_cut(text, each)
    local all = {}
    for i = 1, #text do
        all[i] = i
        each({ i, #text }, "cut at " .. i)
    end
    each(all, "byte by byte")
end

return http
