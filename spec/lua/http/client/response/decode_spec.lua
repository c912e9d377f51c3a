local decode = require "quoll.http.client.response.decode"
local helper = require "spec.helper"
local zlib = require "zlib"

local GZIP, ZLIB, RAW = 31, 15, -15

local function deflate(text, window)
    return (zlib.deflate(nil, window)(text, "finish"))
end

-- What comes out when input comes in pieces of n bytes: text | nil, err, CODE;
-- and the largest piece.
local function run(input, coding, n)
    local at = 1
    local source = assert(decode.source(function()
        local piece = input:sub(at, at + n - 1)
        at = at + n
        return piece ~= "" and piece or nil
    end, coding))
    local parts, largest = {}, 0
    while true do
        local piece, err, code = source()
        if not piece then
            return not err and table.concat(parts) or nil, err or largest, code
        end
        largest = math.max(largest, #piece)
        parts[#parts + 1] = piece
    end
end

describe("quoll.http.client.response.decode", function()
    helper.gates()

    local text = {}
    for i = 1, 2000 do
        text[i] = ("%d %x\n"):format(i, i * 7919 % 65536)
    end
    text = table.concat(text)

    it("decodes what comes in any pieces", function()
        for coding, window in pairs { gzip = GZIP, ["X-Gzip"] = GZIP,
            deflate = ZLIB } do
            local input = deflate(text, window)
            for _, n in ipairs { 1, 2, 3, 1024, 1e6 } do
                assert.is_true(text == (run(input, coding, n)), coding .. n)
            end
        end
        assert.is_true(text == run(deflate(text, RAW), "deflate", 7))
        assert.equal("", run(deflate("", GZIP), "gzip", 1))
        assert.equal("", run("", "gzip", 1))
    end)

    it("takes several members, and codings one over the other", function()
        assert.equal("ab", run(deflate("a", GZIP) .. deflate("b", GZIP),
            "gzip", 5))
        assert.is_true(text == run(deflate(deflate(text, ZLIB), GZIP),
            "deflate, identity, gzip", 100))
    end)

    it("says what is cut or bad", function()
        local input = deflate(text, GZIP)
        for _, n in ipairs { 1, 5, 10, 1000, #input - 1 } do
            assert.same({ nil, "compressed body cut", "EBADMSG" },
                { run(input:sub(1, n), "gzip", 300) }, n)
        end
        for _, bad in ipairs { "x", "no gzip", input .. "x", input:sub(1, 500)
            .. ("\255"):rep(500) .. input:sub(1001) } do
            local got, _, code = run(bad, "gzip", 100)
            assert.is_nil(got, bad:sub(1, 9))
            assert.equal("EBADMSG", code)
        end
        assert.is_nil((run(deflate("a", ZLIB) .. "b", "deflate", 9)))
    end)

    it("passes failures on", function()
        local source = decode.source(function()
            return nil, "timeout", "TIMEOUT"
        end, "gzip")
        assert.same({ nil, "timeout", "TIMEOUT" }, { source() })
    end)

    it("is no bomb", function()
        local input = deflate(("\0"):rep(2 ^ 24), GZIP)
        assert.truthy(#input < 20000)
        local got, largest = run(input, "gzip", 65536)
        assert.equal(2 ^ 24, #got)
        assert.truthy(largest <= 1100 * 1024, largest)
    end)

    it("leaves alone what it does not know", function()
        local function none() end
        for _, coding in ipairs { "br", "gzip, br", "identity", "",
            "gzip, gzip, gzip" } do
            assert.is_nil(decode.source(none, coding))
        end
        assert.equal("gzip, deflate", decode.accepted())
    end)

    it("survives any input", function()
        math.randomseed(1)
        local input = deflate(text, GZIP)
        for _ = 1, 300 do
            local at = math.random(#input)
            local bad = input:sub(1, at - 1)
                .. string.char(math.random(0, 255)) .. input:sub(at + 1)
            local got, err = run(bad, "gzip", math.random(2000))
            assert.truthy(got == text or bad ~= input and err, at)
        end
    end)
end)
