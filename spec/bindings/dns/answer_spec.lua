local helper = require "spec.helper"
local nameserver = require "spec.support.nameserver"
local raw = require "quoll.core.dns"

local QUERY = { id = 1, name = "one.test", number = 1 }
local reply = nameserver.reply

local function parse(with)
    return raw.parse(reply(QUERY, with))
end

local function record(...)
    local parsed = assert(parse { answers = { { "one.test", ... } } })
    assert.equal(1, #parsed)
    return parsed[1]
end

describe("bindings/dns/answer", function()
    it("reads each type of record", function()
        local function with(kind, fields)
            fields.name, fields.type, fields.ttl = "one.test", kind, 60
            return fields
        end
        assert.same(with("A", { address = "10.0.0.1" }),
            record("A", 60, "10.0.0.1"))
        assert.same(with("AAAA", { address = "2001:db8::1" }),
            record("AAAA", 60, "2001:db8::1"))
        for _, kind in ipairs { "CNAME", "NS", "PTR" } do
            assert.same(with(kind, { host = "two.test" }),
                record(kind, 60, "two.test"))
        end
        assert.same(with("MX", { priority = 5, host = "mail.test" }),
            record("MX", 60, 5, "mail.test"))
        assert.same(with("SRV", { priority = 1, weight = 2, port = 3,
            host = "srv.test" }), record("SRV", 60, 1, 2, 3, "srv.test"))
        assert.same(with("TXT", { text = "ab\0c" }),
            record("TXT", 60, "a", "", "b\0c"))
        assert.same(with("SOA", { host = "ns.test", mailbox = "admin.test",
            serial = 1, refresh = 2, retry = 3, expire = 4, minimum = 7 }),
            record("SOA", 60, 7))
    end)

    it("reads names that point elsewhere", function()
        local parsed = raw.parse(reply(QUERY, { answers = {
            { "one.test", "CNAME", 60, "\3two\192\16", raw = true } } }))
        assert.equal("two", parsed[1].host:match "^two")
    end)

    it("leaves types that it does not know as numbers", function()
        local parsed = parse { answers = {
            { "one.test", 99, 60, "data", raw = true } } }
        assert.same({ name = "one.test", type = 99, ttl = 60 }, parsed[1])
    end)

    it("takes a time with its highest bit as none", function()
        assert.equal(0, record("A", 2 ^ 31, "10.0.0.1").ttl)
        assert.equal(2 ^ 31 - 1, record("A", 2 ^ 31 - 1, "10.0.0.1").ttl)
    end)

    it("keeps the authorities apart", function()
        local parsed = parse { authority = { { "test", "SOA", 9, 8 } } }
        assert.equal(0, #parsed)
        assert.equal(8, parsed.authority[1].minimum)
    end)

    it("refuses records that do not fit", function()
        local bad = {
            { "A", "123" }, { "A", "12345" }, { "AAAA", ("x"):rep(15) },
            { "MX", "\0" }, { "MX", "\0\1" }, { "SRV", "\0\1\0\1\0" },
            { "TXT", "\5abc" }, { "CNAME", "\5abc" }, { "CNAME", "" },
            { "CNAME", "\1a\0x" }, { "SOA", "\0\0" .. ("x"):rep(19) },
            { "CNAME", "\192\12x" }, { "NS", "\192\200" },
        }
        for _, case in ipairs(bad) do
            assert.is_nil(parse { answers = {
                { "one.test", case[1], 60, case[2], raw = true } } },
                case[1])
        end
        assert.is_nil(parse { answers = {
            { "one.test", "A", 60, "1234", raw = true, length = 5 } } })
    end)

    it("refuses a name that points to itself", function()
        local at = 12 + #nameserver.wire_name "one.test" + 4
        local loop = string.char(192 + math.floor(at / 256), at % 256)
        local message = reply(QUERY, {}):sub(1, 6) .. "\0\1\0\0\0\0"
            .. nameserver.wire_name "one.test" .. "\0\1\0\1"
            .. loop .. "\0\1\0\1\0\0\0\1\0\4abcd"
        assert.is_nil(raw.parse(message))
    end)

    it("survives any cut and any changed byte", function()
        local message = reply(QUERY, { answers = {
            { "one.test", "CNAME", 60, "two.test" },
            { "two.test", "SRV", 60, 1, 2, 3, "three.test" },
            { "three.test", "TXT", 60, "text" },
            { "one.test", "A", 60, "10.0.0.1" },
        }, authority = { { "test", "SOA", 60, 5 } } })
        assert.is_table(raw.parse(message))
        for i = 0, #message - 1 do
            assert.is_nil(raw.parse(message:sub(1, i)))
        end
        local step = helper.collecting and 7 or 1
        for i = 1, #message, step do
            for _, byte in ipairs { 0, 1, 63, 64, 127, 128, 192, 255 } do
                raw.parse(message:sub(1, i - 1) .. string.char(byte)
                    .. message:sub(i + 1))
            end
        end
    end)
end)
