local helper = require "spec.helper"
local nameserver = require "spec.support.nameserver"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local dns = quoll.dns
local with, says, reply = nameserver.with, nameserver.says, nameserver.reply

local function results(...)
    return { n = select("#", ...), ... }
end

local function names_of(server)
    local list = {}
    for i, query in ipairs(server.asked) do
        list[i] = query.name .. " " .. query.type
    end
    table.sort(list)
    return list
end

local ADDRESSES = { A = "127.0.0.1", AAAA = "::1" }

local function both(query)
    return says(60, ADDRESSES[query.type])(query)
end

local function nobody(query)
    return reply(query, { rcode = 3, authority = {
        { "test", "SOA", 60, 60 } } })
end

local function resolve(name, family)
    return dns.resolve(name, { timeout = pair.PATIENCE, family = family })
end

describe("quoll.dns.resolver", function()
    helper.gates()

    it("gives both families, or one", function()
        with(both, function(server)
            local list = resolve "one.test"
            table.sort(list)
            assert.same({ "127.0.0.1", "::1" }, list)
            assert.same({ "127.0.0.1" }, resolve("one.test", "inet"))
            assert.same({ "::1" }, resolve("one.test", "inet6"))
            assert.same({ "one.test A", "one.test AAAA" }, names_of(server))
        end)
    end)

    it("asks nobody for addresses, localhost and invalid", function()
        with(both, function(server)
            assert.same({ "10.0.0.1" }, resolve "10.0.0.1")
            assert.same({ "::1" }, resolve "::1")
            assert.equal("ENOTFOUND", select(3, resolve("::1", "inet")))
            assert.same({ "127.0.0.1", "::1" }, resolve "localhost")
            assert.same({ "::1" }, resolve("a.LocalHost.", "inet6"))
            assert.equal("ENODATA", select(3, dns.query("localhost", "MX")))
            assert.same(results(nil, "host not found", "ENOTFOUND"),
                results(resolve "one.invalid"))
            assert.equal("EINVAL", select(3, resolve "a..b"))
            assert.equal("EINVAL", select(3, dns.query("a b", "A")))
            assert.equal("EINVAL", select(3, dns.reverse "one"))
            assert.equal(0, #server.asked)
        end)
    end)

    it("takes what one family has when the other fails", function()
        with(function(query)
            return query.type == "A" and both(query)
                or reply(query, { rcode = 2 })
        end, function()
            assert.same({ "127.0.0.1" }, resolve "one.test")
            assert.equal("ESERVFAIL", select(3, resolve("one.test", "inet6")))
        end)
    end)

    it("completes names with the search list", function()
        with(function(query)
            return query.name == "one.b.test" and both(query)
                or nobody(query)
        end, function(server)
            assert.same({ "127.0.0.1" }, resolve("one", "inet"))
            assert.same({ "one.a.test A", "one.b.test A" }, names_of(server))
            assert.equal("ENOTFOUND", select(3, resolve("one.", "inet")))
            assert.same({ "one A", "one.a.test A", "one.b.test A" },
                names_of(server))
        end, { search = { "a.test", "b.test" } })
    end)

    it("remembers answers, and that there is none", function()
        local answer = both
        with(function(query) return answer(query) end, function(server)
            for _ = 1, 3 do
                assert(resolve "one.test")
            end
            assert.equal(2, #server.asked)
            answer = nobody
            for _ = 1, 3 do
                assert.equal("ENOTFOUND", select(3, resolve "two.test"))
            end
            assert.equal(4, #server.asked)
            dns.flush()
            assert.equal("ENOTFOUND", select(3, resolve "one.test"))
        end)
    end)

    it("forgets them in time", function()
        with(both, function(server)
            local stop = quoll.now() + pair.PATIENCE
            repeat
                assert(resolve("one.test", "inet"))
            until #server.asked == 3 or quoll.now() > stop
            assert.equal(3, #server.asked)
        end, { max_ttl = 0.005 })
        with(says(0, "127.0.0.1"), function(server)
            assert(resolve("one.test", "inet"))
            assert(resolve("one.test", "inet"))
            assert.equal(1, #server.asked)
        end, { min_ttl = 60 })
    end)

    it("keeps so many answers at most", function()
        with(both, function()
            for i = 1, 10 do
                assert(resolve(i .. ".test", "inet"))
            end
            assert.equal(4, dns.stats().entries)
            assert.truthy(dns.stats().evicted >= 6)
        end, { cache = 4 })
    end)

    it("gives records that the script may change", function()
        with(function(query)
            return reply(query, { answers = {
                { query.name, "SRV", 60, 1, 2, 80, "one.test" } } })
        end, function()
            local record = dns.query("_http._tcp.test", "SRV")[1]
            assert.same({ name = "_http._tcp.test", type = "SRV", ttl = 60,
                priority = 1, weight = 2, port = 80, host = "one.test" },
                record)
            record.host = "evil.test"
            assert.equal("one.test",
                dns.query("_http._tcp.test", "SRV")[1].host)
        end)
    end)

    it("turns addresses into names", function()
        with(function(query)
            return query.name == "1.0.0.10.in-addr.arpa"
                and says(60, "one.test")(query) or nobody(query)
        end, function()
            assert.same({ "one.test" }, dns.reverse "10.0.0.1")
            assert.same(results(nil, "host not found", "ENOTFOUND"),
                results(dns.reverse "2001:db8::1"))
        end)
    end)

    it("takes no more addresses than a host can have", function()
        with(function(query)
            local answers = {}
            for i = 1, 200 do
                answers[i] = { query.name, "A", 60, "127.0.0." .. i }
            end
            return query.tcp and reply(query, { answers = answers })
                or reply(query, { tc = true })
        end, function()
            assert.equal(64, #resolve("one.test", "inet"))
        end)
    end)
end)

describe("quoll.dns.resolver's files", function()
    helper.gates()
    local conf, hosts

    local function write(path, text)
        local file = assert(io.open(path, "w"))
        file:write(text)
        file:close()
    end

    before_each(function()
        conf, hosts = os.tmpname(), os.tmpname()
    end)

    after_each(function()
        os.remove(conf)
        os.remove(hosts)
    end)

    it("come before servers, and change while it runs", function()
        with(nobody, function(server)
            write(hosts, "127.0.0.7 one two\n::7 one\n")
            local list = resolve "One"
            table.sort(list)
            assert.same({ "127.0.0.7", "::7" }, list)
            assert.same({ "::7" }, resolve("one", "inet6"))
            assert.same({ "one", "two" }, dns.reverse "127.0.0.7")
            assert.equal(0, #server.asked)
            assert.equal("ENOTFOUND", select(3, resolve("two", "inet6")))
            write(hosts, "127.0.0.70 one\n")
            assert.same({ "127.0.0.70" }, resolve "one")
        end, { hosts = hosts })
    end)

    it("give the search list and options, also new ones", function()
        with(both, function(server)
            write(conf, "search a.test\n")
            assert(resolve("one", "inet"))
            write(conf, "search longer.test\noptions ndots:3\n")
            assert(resolve("one", "inet"))
            assert(resolve("one.two", "inet"))
            assert.same({ "one.a.test A", "one.longer.test A",
                "one.two.longer.test A" }, names_of(server))
        end, { resolv_conf = conf, search = false })
    end)

    it("are the newest settings', also when they are being read", function()
        with(both, function(server)
            write(conf, "search a.test\n")
            dns.configure { resolv_conf = conf }
            local task = quoll.spawn(resolve, "one", "inet")
            quoll.yield()
            dns.configure { search = { "b.test" } }
            task:wait(pair.PATIENCE)
            assert(resolve("two", "inet"))
            assert.equal("two.b.test", server.asked[#server.asked].name)
        end, { search = false })
    end)

    it("name the servers, on port 53", function()
        write(conf, "nameserver 127.0.0.53\nnameserver ::1\n")
        local settings = require "quoll.dns.settings"
        local files = require "quoll.dns.files"
        local given = files.source(conf, files.parse_conf, 0):get()
        assert.equal("127.0.0.53:53,[::1]:53",
            settings.join_servers(settings.merge(given).servers))
    end)
end)
