local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"

local random = require("math").random

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

describe("bindings/core/pattern", function()
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

    it("scans a long line once", pair.with(function(client, server)
        -- Rescanning from the start at each of some 1,000 pieces would take
        -- many seconds.
        local line = ("x"):rep(32 * pair.MIB)
        quoll.spawn(function()
            client:send { line, "\n" }
        end)
        assert.equal(#line, #server:receive("*l"))
    end))
end)
