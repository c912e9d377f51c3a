local helper = require "spec.helper"
local http = require "spec.support.http_message"
local ffi, lib = helper.ffi, http.lib

local function date(t)
    local to = ffi.new("char[30]")
    lib.ql_http_date(to, t)
    return ffi.string(to)
end

describe("runtime/http/out", function()
    it("knows a token", function()
        for _, name in ipairs { "A", "X-a_b.c", "!#$%&'*+-.^_`|~09" } do
            assert.is_true(lib.ql_http_token(name, #name), name)
        end
        for _, name in ipairs { "", "a b", "a:", "a\r\n", "a\0", "\200", "a(",
            "a\127" } do
            assert.is_false(lib.ql_http_token(name, #name), name)
        end
    end)

    it("knows a value that splits no response", function()
        for _, value in ipairs { "", "a b\tc", "\200\255", "~" } do
            assert.is_true(lib.ql_http_value(value, #value), value)
        end
        for byte = 0, 255 do
            local value = "a" .. string.char(byte)
            assert.equal(byte == 9 or byte >= 32 and byte ~= 127,
                lib.ql_http_value(value, 2), byte)
        end
    end)

    it("has the reasons", function()
        local function reason(status)
            return ffi.string(lib.ql_http_reason(status))
        end
        assert.equal("OK", reason(200))
        assert.equal("Not Found", reason(404))
        assert.equal("Network Authentication Required", reason(511))
        for _, status in ipairs { 0, 99, 299, 512, 599, 4294967295 } do
            assert.equal("", reason(status))
        end
    end)

    it("writes numbers", function()
        local to = ffi.new("char[21]")
        for _, text in ipairs { "0", "9", "10", "4294967296",
            "18446744073709551615" } do
            local n = 0ULL
            for digit in text:gmatch "%d" do
                n = n * 10 + tonumber(digit)
            end
            assert.equal(#text, lib.ql_http_number(to, n) - to)
            assert.equal(text, ffi.string(to, #text))
        end
    end)

    it("has the date as HTTP writes it", function()
        assert.equal("Sun, 06 Nov 1994 08:49:37 GMT", date(784111777))
        assert.equal("Thu, 01 Jan 1970 00:00:00 GMT", date(0))
        for _ = 1, 200 do
            local t = math.random(0, 4102444800)
            assert.equal(os.date("!%a, %d %b %Y %H:%M:%S GMT", t), date(t))
        end
        assert.equal(29, #date(2 ^ 62))
        assert.equal("Fri, 31 Dec 9999 23:59:59 GMT", date(253402300799))
        assert.equal("Thu, 01 Jan 1970 00:00:00 GMT", date(253402300800))
    end)

    it("writes the date of a second once", function()
        local clock = ffi.new("ql_http_clock_t")
        local first = lib.ql_http_clock(clock, 784111777)
        assert.equal("Sun, 06 Nov 1994 08:49:37 GMT", ffi.string(first))
        clock.text[0] = 88
        lib.ql_http_clock(clock, 784111777)
        assert.equal("Xun", ffi.string(first, 3))
        lib.ql_http_clock(clock, 784111778)
        assert.equal("Sun, 06 Nov 1994 08:49:38 GMT", ffi.string(first))
        local new = ffi.new("ql_http_clock_t")
        assert.equal("Thu, 01 Jan 1970 00:00:00 GMT",
            ffi.string(lib.ql_http_clock(new, 0)))
    end)
end)
