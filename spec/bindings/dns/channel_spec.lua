local helper = require "spec.helper"
local nameserver = require "spec.support.nameserver"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local dns = quoll.dns
local with, says = nameserver.with, nameserver.says

describe("bindings/dns/channel", function()
    helper.gates()

    local function query(name)
        return dns.query(name, "A", { timeout = pair.PATIENCE })
    end

    it("tries again after its own timeout", function()
        local asked = 0
        with(function(q)
            asked = asked + 1
            return asked == 3 and says(60, "10.0.0.1")(q) or nil
        end, function()
            assert.equal("10.0.0.1", query("one.test")[1].address)
            assert.equal(3, asked)
        end, { timeout = 0.01, tries = 5 })
    end)

    it("has no timer and no descriptor while nothing is asked", function()
        with(says(60, "10.0.0.1"), function()
            assert(query "one.test")
            local stats = quoll.stats()
            assert(query "two.test")
            assert.equal(stats.loop.timers, quoll.stats().loop.timers)
            assert.equal(stats.connections.live,
                quoll.stats().connections.live)
        end)
    end)

    it("reads neither resolv.conf nor the environment", function()
        local result = helper.script [[
            local inject = require "spec.support.scripted"
            local nameserver = require "spec.support.nameserver"
            local dns = require("quoll").dns
            nameserver.with(nameserver.says(60, "10.0.0.1"), function(server)
                assert(dns.resolve "one")
                assert(server.asked[1].name == "one")
                assert(#server.asked == 2)
            end)
        ]]
        assert.equal(0, result.code, result.err)
    end)

    it("is made anew in a forked child", function()
        local result = helper.script [[
            local ffi = require "ffi"
            local nameserver = require "spec.support.nameserver"
            local quoll = require "quoll"
            for _, prototype in ipairs { "int fork(void);",
                "int waitpid(int pid, int *status, int options);",
                "void _exit(int);", "unsigned alarm(unsigned);" } do
                pcall(ffi.cdef, prototype)
            end
            local function query(name)
                return quoll.dns.query(name, "A", { timeout = 5 })
            end
            local function child(task)
                assert(query("two.test")[1].address == "10.0.0.1")
                assert(select(3, task:wait(5)) == "ECANCELED")
            end
            nameserver.with(function(q)
                if q.name ~= "slow.test" then
                    return nameserver.says(60, "10.0.0.1")(q)
                end
            end, function()
                local task = quoll.spawn(query, "slow.test")
                assert(query "one.test")
                local pid = ffi.C.fork()
                if pid == 0 then
                    ffi.C.alarm(8)
                    local ok, err = pcall(child, task)
                    io.stderr:write(ok and "" or tostring(err))
                    ffi.C._exit(ok and 0 or 1)
                end
                local status = ffi.new("int[1]")
                ffi.C.waitpid(pid, status, 0)
                assert(status[0] == 0, "the child failed")
                assert(query "three.test" and task:status() == "waiting")
                task:cancel()
            end)
        ]]
        assert.equal(0, result.code, result.err)
    end)

    it("lets its sockets go when the loop ends before it", function()
        -- What is not let go is found by test-asan.
        local result = helper.script [[
            local nameserver = require "spec.support.nameserver"
            local quoll = require "quoll"
            local server = nameserver.start(function() end)
            quoll.dns.configure { servers = { server.address }, tries = 1 }
            quoll.spawn(quoll.dns.query, "one.test", "A")
            quoll.deadline(5, function()
                while #server.asked == 0 do
                    quoll.yield()
                end
            end)
            print(#server.asked)
        ]]
        assert.same({ "1\n", 0 }, { result.out, result.code })
    end)

    it("refuses what it cannot be made of", function()
        local raw = require "quoll.core.dns"
        assert.has_error(function() raw.new(("x"):rep(2000), 1, 1) end)
        assert.has_error(function() raw.new("127.0.0.1:53", 0, 1) end)
        assert.has_error(function() raw.new("127.0.0.1:53", 1, 99) end)
        local bad = raw.new("nowhere:xx", 1, 1)
        assert.equal("EINVAL", select(3, raw.query(bad, "one.test", 1, "A")))
        bad:close()
        assert.equal("CLOSED", select(3, raw.query(bad, "one.test", 1, "A")))
    end)
end)
