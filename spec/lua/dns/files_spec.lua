local helper = require "spec.helper"
local files = require "quoll.dns.files"
local quoll = require "quoll"

describe("quoll.dns.files", function()
    helper.gates()

    it("reads resolv.conf", function()
        assert.same({
            servers = { "10.0.0.1", "::1" }, search = { "b.test", "c.test" },
            ndots = 2, timeout = 3, tries = 4, rotate = true, edns = true,
        }, files.parse_conf [[
# a comment
nameserver 10.0.0.1 ; another
nameserver fe80::1%eth0
nameserver nonsense
nameserver
domain a.test
search B.test c.test.
 nameserver ::1
options ndots:2 timeout:3 attempts:4
options rotate edns0 unknown:7 inet6
        ]])
    end)

    it("has defaults, and limits", function()
        local conf = files.parse_conf ""
        assert.same({ servers = { "127.0.0.1" }, search = {}, ndots = 1,
            timeout = 5, tries = 2, rotate = false, edns = false }, conf)
        conf = files.parse_conf "options ndots:99 timeout:0 attempts:77"
        assert.same({ 15, 1, 5 }, { conf.ndots, conf.timeout, conf.tries })
        assert.same({ "." }, files.parse_conf("search .").search)
    end)

    it("reads hosts", function()
        local hosts = files.parse_hosts(
            "10.0.0.1 One one.test # two\r\n::1\tone\nnonsense two\n"
            .. "10.0.0.1 three\n\n10.0.0.2")
        assert.same({ one = { "10.0.0.1", "::1" },
            ["one.test"] = { "10.0.0.1" }, three = { "10.0.0.1" } },
            hosts.names)
        assert.same({ "One", "one.test", "three" },
            hosts.addresses["\10\0\0\1"])
    end)

    it("lets others on while it reads a long file", function()
        quoll.run(function()
            local turns = 0
            local other = quoll.spawn(function()
                while true do
                    quoll.yield()
                    turns = turns + 1
                end
            end)
            files.parse_hosts(("10.0.0.1 name\n"):rep(10000))
            other:cancel()
            assert.truthy(turns >= 4)
        end)
    end)

    describe("a source", function()
        local path

        before_each(function() path = os.tmpname() end)
        after_each(function() os.remove(path) end)

        local function write(text)
            local file = assert(io.open(path, "w"))
            file:write(text)
            file:close()
        end

        it("is read again when the file has changed, only then", function()
            local parsed = 0
            write "one"
            local source = files.source(path, function(text)
                parsed = parsed + 1
                return text
            end, 0)
            assert.equal("one", source:get())
            assert.equal("one", source:get())
            assert.equal(1, parsed)
            write "three"
            assert.equal("three", source:get())
            assert.equal(2, source.version)
            os.remove(path)
            assert.equal("", source:get())
            write "back"
            assert.equal("back", source:get())
            assert.equal(4, parsed)
        end)

        it("is looked at so often and no more", function()
            write "one"
            local source = files.source(path, tostring, 3600)
            assert.equal("one", source:get())
            write "two"
            assert.equal("one", source:get())
        end)

        it("is not asked twice for what is not there", function()
            local parsed = 0
            local source = files.source("/nonexistent/file", function(text)
                parsed = parsed + 1
                return text
            end, 0)
            assert.equal("", source:get())
            assert.equal("", source:get())
            assert.equal(1, parsed)
        end)
    end)
end)
