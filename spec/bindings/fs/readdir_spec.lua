local helper = require "spec.helper"
local calls = require "spec.support.calls"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local fs = quoll.fs

-- Making thousands of entries may take a while on a busy disk.
local function in_directory(fn)
    return function()
        calls.in_directory(function(dir)
            tasks.run(function() fn(dir) end, 60)
        end)
    end
end

local function make_many(dir, n)
    os.execute(("cd %s && seq -f 'an-entry-with-a-long-name-%%06g' %d | "
        .. "xargs touch"):format(dir, n))
end

describe("readdir", function()
    helper.gates()

    it("gives names and types", in_directory(function(dir)
        os.execute(("cd %s && mkdir sub && touch file && ln -s x link && "
            .. "mkfifo fifo"):format(dir))
        local found = {}
        for name, kind in fs.readdir(dir) do
            found[name] = kind
        end
        assert.same({ sub = "directory", file = "file", link = "link",
            fifo = "fifo" }, found)
    end))

    it("fails itself where the directory cannot be opened", in_directory(
        function(dir)
            calls.write(dir .. "/file", "")
            assert.same({ nil, dir .. "/file: not a directory", "ENOTDIR" },
                { fs.readdir(dir .. "/file") })
        end))

    it("ends, and stays at its end; closing it then says so", in_directory(
        function(dir)
            local entries = fs.readdir(dir)
            assert.is_nil(entries())
            assert.is_nil(entries())
            assert.same({ nil, "closed", "CLOSED" }, { entries:close() })
        end))

    it("stops when it is closed, and raises from then on", in_directory(
        function(dir)
            make_many(dir, 3000)
            local entries = fs.readdir(dir)
            assert.truthy(entries())
            assert.is_true(entries:close())
            local ok, err = pcall(function() return (entries()) end)
            assert.is_false(ok)
            assert.matches("readdir_spec.lua:%d+: closed", err)
        end))

    it("lets other tasks run, and is cancelled", in_directory(function(dir)
        make_many(dir, 3000)
        local n, turns = 0, 0
        local other = quoll.spawn(function()
            while true do
                quoll.yield()
                turns = turns + 1
            end
        end)
        local reader = quoll.spawn(function()
            for _ in fs.readdir(dir) do
                n = n + 1
                if n == 2000 then
                    quoll.sleep(10)
                end
            end
        end)
        while n < 2000 do
            quoll.yield()
        end
        reader:cancel()
        other:cancel()
        assert.same({ nil, "cancelled", "CANCELLED" }, { reader:wait() })
        assert.is_true(turns > 10)
    end))

    it("takes memory for a batch only", in_directory(function(dir)
        make_many(dir, 20000)
        local entries, n, most = fs.readdir(dir), 0, 0
        collectgarbage()
        local before = collectgarbage "count"
        for _ in entries do
            n = n + 1
            if n % 1000 == 0 then
                collectgarbage()
                most = math.max(most, collectgarbage "count" - before)
            end
        end
        assert.equal(20000, n)
        assert.is_true(most < 100, most .. " KiB")
    end))

    it("of two tasks at one time is busy for the second", in_directory(
        function(dir)
            make_many(dir, 3000)
            local entries = fs.readdir(dir)
            local function read()
                for _ in entries do end -- luacheck: ignore
            end
            local tasks_ = { quoll.spawn(pcall, read),
                quoll.spawn(pcall, read) }
            local first, _ = tasks_[1]:wait()
            local second, err = tasks_[2]:wait()
            assert.is_true(first or second)
            if not second then
                assert.matches("busy reading", err)
            end
        end))

    it("belongs to a task and moves", in_directory(function(dir)
        local entries = quoll.spawn(function()
            return fs.readdir(dir):disown()
        end):wait()
        assert.equal(entries, entries:own())
        assert.is_nil(entries())
    end))

    it("left to the collector is closed by it", in_directory(function(dir)
        make_many(dir, 3000)
        for _ = 1, 10 do
            assert.truthy(fs.readdir(dir):disown()())
        end
    end))
end)

describe("a directory that fails in the middle", function()
    it("raises, and is closed", function()
        local result = helper.script([[
            local inject = require "spec.support.scripted"
            local quoll = require "quoll"
            inject.ql_inject_fail("getdents64", -1, 2, 2, 5)
            quoll.run(function()
                local n = 0
                print(pcall(function()
                    for _ in quoll.fs.readdir "/usr/bin" do
                        n = n + 1
                    end
                end))
                print(n > 0, quoll.stats().pool.calls)
            end)
        ]])
        assert.equal("false\t/usr/bin: input/output error\ntrue\t0\n",
            (result.out:gsub("[^\t]*:%d+: /usr", "/usr")), result.err)
    end)
end)
