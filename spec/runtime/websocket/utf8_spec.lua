local helper = require "spec.helper"
local ffi = helper.ffi
local lib = ffi.load(helper.build .. "/lib/libquoll-frame.so")

-- "whole", "more" or "bad", the text cut at `at`.
local function verdict(text, at)
    local u = ffi.new("ql_utf8_t")
    local first, second = text:sub(1, at or -1), at and text:sub(at + 1) or ""
    if not lib.ql_utf8(u, first, #first)
        or not lib.ql_utf8(u, second, #second)
    then
        return "bad"
    end
    return u.need == 0 and "whole" or "more"
end

-- RFC 3629 by arithmetic: the code point of each character, then its bounds.
local function model(text)
    local at = 1
    while at <= #text do
        local c = text:byte(at)
        local size = c < 0x80 and 1 or c < 0xc0 and 0 or c < 0xe0 and 2
            or c < 0xf0 and 3 or c < 0xf8 and 4 or 0
        local code = size > 1 and c % 2 ^ (7 - size) or c
        for i = 1, size - 1 do
            local d = text:byte(at + i)
            code = d and d >= 0x80 and d < 0xc0 and code * 64 + d % 64 or -1
        end
        local least = ({ [0] = 1, 0, 0x80, 0x800, 0x10000 })[size]
        if size == 0 or code < least or code > 0x10ffff
            or (code >= 0xd800 and code <= 0xdfff)
        then
            return "bad"
        end
        at = at + size
    end
    return "whole"
end

describe("runtime/websocket/utf8", function()
    it("knows what is none", function()
        local table_of = {
            [""] = "whole", abc = "whole", ["\0"] = "whole",
            ["\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"] = "whole",
            ["\xc2\x80"] = "whole", ["\xef\xbf\xbf"] = "whole",
            ["\xf4\x8f\xbf\xbf"] = "whole", ["\xf0\x90\x80\x80"] = "whole",
            ["\xed\x9f\xbf"] = "whole", ["\xee\x80\x80"] = "whole",
            ["\xce"] = "more", ["\xe1\xbd"] = "more", ["\xf4\x8f\xbf"] = "more",
            ["\x80"] = "bad", ["\xc0\x80"] = "bad", ["\xc1\xbf"] = "bad",
            ["\xe0\x9f\xbf"] = "bad", ["\xe0\x80"] = "bad",
            ["\xf0\x8f\xbf\xbf"] = "bad", ["\xf4\x90\x80\x80"] = "bad",
            ["\xf5"] = "bad", ["\xff"] = "bad", ["\xed\xa0\x80"] = "bad",
            ["\xed\xbf\xbf"] = "bad", ["\xce\x28"] = "bad",
            ["\xe1\xbda"] = "bad", ["a\xc3\xa9\xc3"] = "more",
        }
        for text, expected in pairs(table_of) do
            assert.equal(expected, verdict(text), ("%q"):format(text))
        end
    end)

    it("gives the same wherever the text is cut", function()
        local text = ("a"):rep(37) .. "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"
            .. ("b"):rep(70) .. "\xe2\x82\xac"
        for at = 0, #text do
            assert.equal("whole", verdict(text, at))
            assert.equal("bad", verdict(text .. "\xed\xa0", at))
        end
    end)

    it("agrees with arithmetic", function()
        math.randomseed(3629)
        local bytes = { 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1,
            0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf3, 0xf4, 0xf5 }
        for _ = 1, 30000 do
            local n = math.random(1, 5)
            local text = {}
            for i = 1, n do
                text[i] = string.char(bytes[math.random(#bytes)])
            end
            text = table.concat(text)
            local got = verdict(text, math.random(0, n))
            assert.equal(model(text), got == "more" and "bad" or got,
                ("%q"):format(text))
        end
    end)
end)
