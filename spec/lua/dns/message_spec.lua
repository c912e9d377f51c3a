local helper = require "spec.helper"
local message = require "quoll.dns.message"
local nameserver = require "spec.support.nameserver"

local QUERY = { id = 1, name = "one.test", number = 1 }

local function entry(with, code, kind)
    return message.entry(nameserver.reply(QUERY, with), code or "OK",
        "one.test", kind or "A")
end

describe("quoll.dns.message", function()
    helper.gates()

    it("follows aliases, for the shortest time of all", function()
        local records, ttl = entry { answers = {
            { "three.test", "A", 50, "10.0.0.1" },
            { "One.Test", "CNAME", 30, "Two.Test" },
            { "two.test", "CNAME", 40, "three.test" },
            { "four.test", "A", 1, "6.6.6.6" },
            { "three.test", "A", 60, "10.0.0.2" },
        } }
        assert.equal(2, #records)
        assert.equal("10.0.0.1", records[1].address)
        assert.equal(30, ttl)
    end)

    it("gives an alias when it is asked for", function()
        local records = entry({ answers = {
            { "one.test", "CNAME", 30, "two.test" } } }, "OK", "CNAME")
        assert.equal("two.test", records[1].host)
    end)

    it("refuses aliases without an end", function()
        assert.same({ code = "EBADRESP" }, (entry { answers = {
            { "one.test", "CNAME", 60, "two.test" },
            { "two.test", "CNAME", 60, "one.test" } } }))
        assert.same({ code = "EBADRESP" }, (entry { answers = {
            { "one.test", "CNAME", 60, "one.test" } } }))
    end)

    it("calls an alias that leads nowhere no records", function()
        assert.same({ code = "ENODATA" }, (entry { answers = {
            { "one.test", "CNAME", 60, "two.test" } } }))
        assert.same({ code = "ENODATA" }, (entry { answers = {
            { "evil.test", "A", 60, "6.6.6.6" } } }))
    end)

    it("remembers an absence as long as its SOA record says", function()
        local result, ttl = entry({ rcode = 3, authority = {
            { "test", "SOA", 90, 40 } } }, "ENOTFOUND")
        assert.same({ code = "ENOTFOUND" }, result)
        assert.equal(40, ttl)
        result, ttl = entry({ authority = { { "test", "SOA", 9, 40 } } },
            "ENODATA")
        assert.same({ code = "ENODATA" }, result)
        assert.equal(9, ttl)
        assert.is_nil(select(2, entry({ rcode = 3 }, "ENOTFOUND")))
    end)

    it("keeps no failure", function()
        assert.same({ code = "ESERVFAIL" },
            (message.entry(false, "ESERVFAIL", "one.test", "A")))
        assert.same({ code = "EBADRESP" },
            (message.entry("x", "OK", "one.test", "A")))
        assert.same({ code = "ENOTFOUND" },
            (message.entry(false, "ENOTFOUND", "one.test", "A")))
    end)

    it("copies records with the time they have left", function()
        local records = { { ttl = 60, address = "a" }, expires = 100 }
        local copy = message.copy(records, 70.5)
        assert.same({ { ttl = 30, address = "a" } }, copy)
        copy[1].address = "b"
        assert.equal("a", records[1].address)
        records.expires = nil
        assert.equal(60, message.copy(records, 70)[1].ttl)
    end)
end)
