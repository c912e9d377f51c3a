-- A name server that lies, breaks off, or says nothing.
local helper = require "spec.helper"
local nameserver = require "spec.support.nameserver"
local pair = require "spec.support.pair"
local sockets = require "spec.support.sockets"
local quoll = require "quoll"
local dns = quoll.dns
local ffi = helper.ffi
local reply, with = nameserver.reply, nameserver.with
local says = nameserver.says

describe("bindings/dns/socket", function()
    helper.gates()

    local function query(name, kind)
        return dns.query(name or "one.test", kind or "A",
            { timeout = pair.PATIENCE })
    end

    local function address()
        local records, err = query()
        return records and records[1].address or err
    end

    -- The right answer behind others, which do not count.
    local function behind(wrong)
        return function(q)
            local list = wrong(q)
            list[#list + 1] = says(60, "10.0.0.1")(q)
            return unpack(list)
        end
    end

    local function says_wrong(q, with_what)
        with_what.answers = { { q.name, "A", 60, "6.6.6.6" } }
        return reply(q, with_what)
    end

    it("asks again by TCP when the answer was cut", function()
        with(function(q)
            return q.tcp and says(60, "10.0.0.1")(q)
                or reply(q, { tc = true })
        end, function(server)
            assert.equal("10.0.0.1", address())
            assert.equal(2, #server.asked)
        end)
    end)

    it("takes 64 KiB by TCP", function()
        local strings = {}
        for i = 1, 250 do
            strings[i] = ("x"):rep(255)
        end
        with(function(q)
            return q.tcp and says(60, unpack(strings))(q)
                or reply(q, { tc = true })
        end, function()
            assert.equal(250 * 255, #query("one.test", "TXT")[1].text)
        end)
    end)

    it("ignores another id, another question, and garbage", function()
        with(behind(function(q)
            return {
                says_wrong(q, { id = (q.id + 1) % 65536 }),
                says_wrong(q, { question = "evil.test" }),
                "", "x", q.raw:sub(1, 11), ("\255"):rep(600),
            }
        end), function()
            assert.equal("10.0.0.1", address())
        end)
    end)

    it("ignores an answer from another address", function()
        with(function(q)
            local fd = sockets.socket(sockets.AF_INET, sockets.DATAGRAM)
            local from = helper.address "127.0.0.1:0"
            ffi.C.bind(fd, from.u.sa, from.len)
            local packet = says_wrong(q, {})
            ffi.C.sendto(fd, packet, #packet, 0, q.from.u.sa, q.from.len)
            helper.C.close(fd)
            return says(60, "10.0.0.1")(q)
        end, function()
            assert.equal("10.0.0.1", address())
        end)
    end)

    it("asks the next server when one is silent or refuses", function()
        with(says(60, "10.0.0.1"), function(server)
            local silent = nameserver.start(function() end)
            local refusing = nameserver.start(function(q)
                return reply(q, { rcode = 5 })
            end)
            local gone = nameserver.start(function() end)
            gone:stop()
            dns.configure { timeout = 0.02, servers = { gone.address,
                silent.address, refusing.address, server.address } }
            assert.equal("10.0.0.1", address())
            assert.equal(1, #silent.asked)
            assert.equal(1, #refusing.asked)
            silent:stop()
            refusing:stop()
        end)
    end)

    it("tells what servers say", function()
        local rcode
        with(function(q) return reply(q, { rcode = rcode }) end, function()
            for number, code in pairs { "EFORMERR", "ESERVFAIL", "ENOTFOUND",
                "ENOTIMP", "EREFUSED" } do
                rcode = number
                local records, err, got = query("n" .. number .. ".test")
                assert.is_nil(records)
                assert.is_string(err)
                assert.equal(code, got)
            end
            rcode = 0
            assert.equal("ENODATA", select(3, query "n0.test"))
        end)
    end)

    it("says when no server can be reached", function()
        with(function() end, function()
            local gone = nameserver.start(function() end)
            gone:stop()
            dns.configure { servers = { gone.address } }
            assert.equal("ENOSERVER", select(3, query()))
        end)
    end)

    it("says so at once, whatever asks and however often it tries", function()
        with(function() end, function()
            local gone = nameserver.start(function() end)
            gone:stop()
            for tries = 1, 4 do
                dns.configure { servers = { gone.address }, tries = tries,
                    timeout = 10 }
                local began = quoll.now()
                local list, _, code = dns.resolve "a.test"
                assert.is_nil(list)
                assert.equal("ENOSERVER", code)
                assert.is_true(quoll.now() - began < 5)
            end
        end)
    end)

    it("passes over a question that comes back", function()
        with(function(q)
            return q.raw, says(60, "10.0.0.1")(q)
        end, function()
            assert.equal("10.0.0.1", address())
        end)
    end)

    it("asks another time when one comes back by TCP", function()
        for tries = 1, 2 do
            local n = 0
            with(function(q)
                if not q.tcp then
                    return reply(q, { tc = true })
                end
                n = n + 1
                return n == 1 and q.raw or says(60, "10.0.0.1")(q)
            end, function()
                local records, _, code = query()
                assert.equal(tries == 2 and "10.0.0.1" or nil,
                    records and records[1].address)
                assert.not_equal("ENOTFOUND", code)
                assert.equal(tries, n)
            end, { tries = tries })
        end
    end)

    it("tells both of two questions that the server refused", function()
        for tries = 1, 3 do
            with(function(q) return reply(q, { rcode = 5 }) end, function()
                local began = quoll.now()
                assert.equal("EREFUSED", select(3, dns.resolve "a.test"))
                assert.is_true(quoll.now() - began < 5)
            end, { tries = tries, timeout = 10 })
        end
    end)

    it("survives a TCP connection that is reset or closed", function()
        for _, how in ipairs { "reset", "close", "short" } do
            with(function(q)
                if not q.tcp then
                    return reply(q, { tc = true })
                elseif how == "reset" then
                    pair.reset(q.tcp)
                elseif how == "close" then
                    q.tcp:close()
                else
                    q.tcp:send "\1\0half"
                    q.tcp:close()
                end
            end, function()
                local records, err, code = query()
                assert.is_nil(records)
                assert.is_string(err)
                assert.truthy(code == "ENOSERVER" or code == "ESERVFAIL"
                    or code == "TIMEOUT", code)
            end, { timeout = 0.1 })
        end
    end)

    it("waits for a slow server", function()
        with(function(q)
            if q.type == "A" then
                quoll.sleep(0.03)
            end
            return says(60, "10.0.0.1")(q)
        end, function()
            assert.equal("10.0.0.1", address())
        end)
    end)
end)
