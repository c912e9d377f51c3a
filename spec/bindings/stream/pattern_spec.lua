local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"

local random = require("math").random
local ffi = helper.ffi
local lib = ffi.load(helper.build .. "/lib/libquoll-pattern.so")

-- A text of few letters, so that boundaries overlap often.
local function text(n)
    local letters = {}
    for i = 1, n do
        letters[i] = ("ab"):byte(random(2))
    end
    return #letters > 0 and string.char(unpack(letters)) or ""
end

-- Sends data in random pieces that the reader sees one by one.
local function send_in_pieces(conn, data)
    local at = 1
    while at <= #data do
        local n = random(1, 7)
        conn:send(data:sub(at, at + n - 1))
        at = at + n
        quoll.yield()
    end
end

describe("bindings/stream/pattern", function()
    helper.gates()

    it("finds every boundary that string.find finds", function()
        math.randomseed(20240)
        for _ = 1, 60 do
            local boundary = text(random(1, 6))
            local data = text(random(0, 60))
            pair.with(function(client, server)
                quoll.spawn(function()
                    send_in_pieces(client, data)
                    client:close()
                end)
                local f = server:receiveuntil(boundary)
                local at = 1
                while true do
                    local from, to = data:find(boundary, at, true)
                    local got, _, rest = f()
                    if not from then
                        assert.is_nil(got)
                        assert.equal(data:sub(at), rest)
                        break
                    end
                    assert.equal(data:sub(at, from - 1), got)
                    at = to + 1
                end
            end, "unix:@quoll-pattern-" .. helper.ffi.C.getpid())()
        end
    end)

    it("gives the same bytes in pieces of any size", function()
        math.randomseed(20241)
        for _ = 1, 60 do
            local boundary = text(random(1, 6))
            local data = text(random(0, 40))
            local size = random(1, 9)
            pair.with(function(client, server)
                quoll.spawn(function()
                    send_in_pieces(client, data .. "c" .. boundary)
                    client:close()
                end)
                local f = server:receiveuntil(boundary)
                local before = (data .. "c" .. boundary):find(boundary, 1, true)
                local got = ""
                for piece in f, size do
                    assert.is_true(#piece > 0 and #piece <= size)
                    got = got .. piece
                end
                assert.equal((data .. "c"):sub(1, before - 1), got)
            end, "unix:@quoll-pattern-" .. helper.ffi.C.getpid())()
        end
    end)

    it("gives a long line whole", pair.with(function(client, server)
        local line = ("x"):rep(4 * pair.MIB)
        quoll.spawn(function()
            client:send { line, "\n" }
        end)
        assert.equal(#line, #server:receive("*l"))
    end))
end)

-- Unread bytes come piece by piece; what has been looked at is then changed
-- into what is looked for: nothing that looks once finds it.
describe("a scan", function()
    local unread, bytes, p

    before_each(function()
        bytes = ffi.new("char[64]")
        unread = ffi.new("ql_buffer_t", { data = bytes, cap = 64 })
        p = ffi.new("ql_pattern_t")
    end)

    local function came(piece)
        ffi.copy(bytes + unread["end"], piece, #piece)
        unread["end"] = unread["end"] + #piece
        return lib.ql_pattern_match(p, unread)
    end

    it("looks at each byte of a line once", function()
        lib.ql_pattern_start(p, lib.QL_PATTERN_LINE, 0, nil, unread)
        assert.is_false(came("abc"))
        assert.equal(3, unread.scanned)
        ffi.copy(bytes, "\n\n\n", 3)
        assert.is_false(came("d"))
        assert.equal(4, unread.scanned)
        assert.is_true(came("e\nf"))
        assert.same({ 5, 1 }, { p.take, p.skip })
    end)

    it("looks at each byte before a boundary once", function()
        local dashes, borders = "--", ffi.new("uint32_t[2]", 0, 1)
        local memory = ffi.new("uint64_t[8]")
        local boundary = ffi.cast("ql_until_t *", memory)
        boundary.text, boundary.length = dashes, #dashes
        ffi.copy(boundary.border, borders, 8)
        lib.ql_pattern_start(p, lib.QL_PATTERN_UNTIL, 0, boundary, unread)
        assert.is_false(came("abc"))
        assert.equal(3, unread.scanned)
        ffi.copy(bytes, "---", 3)
        assert.is_false(came("-"))
        assert.same({ 4, 1 }, { unread.scanned, boundary.matched })
        assert.is_true(came("-"))
        assert.same({ 3, 2 }, { p.take, p.skip })
    end)

    it("begins anew with the next read", function()
        lib.ql_pattern_start(p, lib.QL_PATTERN_LINE, 0, nil, unread)
        assert.is_false(came("abc"))
        ffi.copy(bytes, "a\nc", 3)
        lib.ql_pattern_start(p, lib.QL_PATTERN_LINE, 0, nil, unread)
        assert.is_true(came(""))
        assert.same({ 1, 1 }, { p.take, p.skip })
    end)
end)
